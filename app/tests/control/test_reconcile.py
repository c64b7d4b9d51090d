"""`trading reconcile` finds every way in which the ledger may differ from the venue's book."""

from __future__ import annotations

from decimal import Decimal

import pytest
from world import TOKEN, World, wait_until

from trading.control.checks import Check
from trading.control.comparison import compare


def asked(world: World) -> dict[str, Check]:
    url = f"http://127.0.0.1:{world.venue_port}"
    return {check.name: check for check in compare(world.connection, url, TOKEN)}


@pytest.fixture
def at_rest(trading_world: World) -> World:
    """A filled and a resting order at the venue, and nobody who would mend a difference."""
    world = trading_world
    world.submit("filled")
    world.submit("resting", type="limit", limit_price=Decimal("0.01"))
    wait_until(lambda: world.states().get("filled") == "FILLED", "an order is filled")
    wait_until(lambda: world.states().get("resting") == "ACKED", "an order rests")
    world.come_to_rest()
    world.kill("blue")
    return world


def test_a_ledger_that_equals_the_book_passes(at_rest: World) -> None:
    checks = asked(at_rest)
    assert all(check.ok for check in checks.values()), checks
    assert checks["fills"].samples > 0


@pytest.mark.parametrize(
    ("damage", "name", "said"),
    [
        ("delete from trading.orders where client_order_id = 'resting'",
         "open orders", "resting: works at the venue, here (not in the ledger)"),
        ("update trading.orders set state = 'CANCELED' where client_order_id = 'resting'",
         "open orders", "resting: works at the venue, here CANCELED"),
        ("update trading.orders set state = 'UNKNOWN' where client_order_id = 'resting'",
         "outcomes", "1 orders with unknown outcome"),
        ("delete from trading.fills where venue_sequence = "
         "(select max(venue_sequence) from trading.fills)",
         "fills", "1 fills of the book are not in the ledger"),
        ("update trading.positions set quantity = quantity + 1 where symbol = 'AAPL'",
         "positions", "AAPL:"),
    ],
    ids=["lost order", "wrong state", "unknown outcome", "lost fill", "wrong position"],
)  # fmt: skip
def test_a_difference_is_named(at_rest: World, damage: str, name: str, said: str) -> None:
    at_rest.connection.execute(damage)
    check = asked(at_rest)[name]
    assert not check.ok
    assert said in check.message


def test_a_venue_that_does_not_answer_is_no_agreement(at_rest: World) -> None:
    at_rest.kill("venue")
    (check,) = asked(at_rest).values()
    assert (check.name, check.ok) == ("venue", False)
