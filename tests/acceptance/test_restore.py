"""A backup taken while trading goes on, and the database put back to it."""

from __future__ import annotations

from typing import Any

from tests.harness import orders
from tests.harness.database import query
from tests.harness.installation import Installation

REASON = "the orders table was damaged by a test"
SENT = ("SENT", "ACKED", "PARTIALLY_FILLED", "FILLED")


def resting(installation: Installation) -> str:
    """A limit order that no price of the packaged data reaches."""
    return orders.place(installation, "dev", type="limit", limit_price="0.01")


def resting_and_cancelled(installation: Installation) -> str:
    order = resting(installation)
    orders.wait_state(installation, "dev", order, "ACKED")
    orders.cancel(installation, "dev", order)
    orders.wait_state(installation, "dev", order, "CANCELED")
    return order


def filled(installation: Installation) -> str:
    order = orders.place(installation, "dev")
    orders.wait_state(installation, "dev", order, "FILLED")
    return order


def fills_of(installation: Installation, order: str) -> list[dict[str, Any]]:
    return query(
        installation.database_uri("dev"),
        "select fill_id, quantity, price from trading.fills where client_order_id = %s"
        " order by fill_id",
        order,
    )


def last_audit(installation: Installation, action: str) -> dict[str, Any]:
    entries = installation.ok("audit", "show", "dev")["entries"]
    found = [entry for entry in entries if entry["action"] == action]
    assert found, [entry["action"] for entry in entries]
    return dict(found[-1])


def test_a_restore_puts_the_database_back_and_trading_goes_on(installation: Installation) -> None:
    installation.agreement("dev").wait(60)
    earlier = filled(installation)
    before = orders.find(installation, "dev", earlier)
    earlier_fills = fills_of(installation, earlier)
    backup = installation.ok("backup", "dev", "--reason", "before the damage")["backup"]
    gone = resting_and_cancelled(installation)
    known_to_the_venue = filled(installation)
    later_fills = fills_of(installation, known_to_the_venue)
    row = installation.agreement("dev").row()

    done = installation.ok("restore", "dev", backup["name"], "--reason", REASON, "--yes")

    assert done["restored"]["name"] == backup["name"]
    installation.agreement("dev").wait(60, release=row["release"])
    assert orders.find(installation, "dev", earlier) == before
    assert fills_of(installation, earlier) == earlier_fills
    assert orders.find(installation, "dev", gone) is None
    new = orders.place(installation, "dev")
    orders.wait_state(installation, "dev", new, *SENT, seconds=60)
    # What the venue has traded is its word: the trader takes that back into the ledger.
    adopted = orders.find(installation, "dev", known_to_the_venue)
    assert adopted is not None
    assert adopted["reason"] == "adopted from the venue's book"
    assert fills_of(installation, known_to_the_venue) == later_fills
    orders.wait_state(installation, "dev", new, "FILLED", seconds=60)

    assert installation.run("audit", "verify", "dev").code == 0
    entry = last_audit(installation, "restore")
    assert entry["reason"] == REASON
    assert entry["details"]["name"] == backup["name"]


def test_a_kill_switch_outlives_a_restore_to_a_time_before_it(installation: Installation) -> None:
    """Only a person with a reason re-arms it, and a restore is none."""
    installation.agreement("dev").wait(60)
    installation.ok("backup", "dev", "--reason", "before the trouble")
    why = {"reason": "runaway orders", "actor": "Ada"}
    assert orders.ask(installation, "dev", "POST", "/api/risk/kill", why)[0] == 200
    try:
        installation.ok("restore", "dev", "--reason", REASON, "--yes")  # the newest
        installation.agreement("dev").wait(60)
        _, risk = orders.ask(installation, "dev", "GET", "/api/risk")
        assert (risk["kill_switch"]["killed"], risk["kill_switch"]["reason"]) == (
            True,
            "runaway orders",
        )
    finally:
        orders.ask(installation, "dev", "POST", "/api/risk/rearm", {"reason": "test is over"})
    orders.wait_state(installation, "dev", orders.place(installation, "dev"), *SENT, seconds=60)


def test_the_token_of_a_restored_database_is_higher_than_any_before(
    installation: Installation,
) -> None:
    """The venue refuses older tokens: a restored database with an old one could never trade."""
    installation.agreement("dev").wait(60)
    first = filled(installation)
    token = orders.find(installation, "dev", first)
    assert token is not None
    installation.ok("backup", "dev", "--reason", "for its token")
    installation.ok("restore", "dev", "--reason", REASON, "--yes")  # the newest
    installation.agreement("dev").wait(60)
    order = orders.place(installation, "dev")
    sent = orders.wait_state(installation, "dev", order, *SENT, seconds=60)
    assert (sent["timeline"], sent["epoch"]) > (token["timeline"], token["epoch"])


def test_a_restore_across_a_promotion_ends_with_branch_row_and_live_agreeing(
    installation: Installation,
) -> None:
    from tests.harness.releases import other_release

    installation.agreement("dev").wait(60)
    installation.ok("backup", "dev", "--reason", "before a promotion")
    assert installation.promote("dev", other_release(installation, "dev")).code == 0
    installation.ok("restore", "dev", "--reason", REASON, "--yes")
    installation.agreement("dev").wait(60)
    order = orders.place(installation, "dev")
    orders.wait_state(installation, "dev", order, *SENT, seconds=60)
    assert installation.run("audit", "verify", "dev").code == 0
