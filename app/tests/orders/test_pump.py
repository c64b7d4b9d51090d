"""What becomes of an order whose answer was lost, above all when it was cancelled meanwhile."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from trading.control.lease import Lease
from trading.errors import SendOutcomeUnknown
from trading.orders.journal import Journal
from trading.orders.pump import Pump
from trading.orders.service import cancel
from trading.risk import killswitch
from trading.venues.client import Document

OLDER, OWN = 1, 2
"""Epochs: of a trader that is gone, and of the one that trades in these tests."""


class Venue:
    """Knows what was placed; loses answers, or whole requests, when told to."""

    def __init__(self) -> None:
        self.placed: list[str] = []
        self.loses_requests = False
        self.when_asked: Callable[[], object] = lambda: None

    async def place(self, order: Document) -> tuple[int, Document]:
        if self.loses_requests:
            raise SendOutcomeUnknown("no answer")
        self.placed.append(order["client_order_id"])
        return 201, self._document(order["client_order_id"])

    async def orders(self, ids: list[str]) -> dict[str, Document]:
        known = {name: self._document(name) for name in ids if name in self.placed}
        self.when_asked()
        return known

    def _document(self, name: str) -> Document:
        return {"client_order_id": name, "state": "WORKING", "venue_order_id": 1, "reason": ""}


class Trade:
    """A pump that works on the test's database under epoch `OWN`."""

    def __init__(self, connection: psycopg.Connection, url: str) -> None:
        self.connection, self._url = connection, url
        self.venue = Venue()
        self._holder = uuid.uuid4()
        connection.execute(
            "insert into trading.lease (slot, holder, timeline, epoch) "
            "values ('blue', %s, trading.timeline(), %s)",
            [self._holder, OWN],
        )

    def lost(self, epoch: int, state: str = "UNKNOWN") -> None:
        """Order `a` was sent under this token, and the venue never got it."""
        self.connection.execute(
            """insert into trading.orders (client_order_id, source, strategy, symbol, side,
            quantity, type, reference_price, content_hash, release, state, timeline, epoch)
            select 'a', 'api', 'manual', 'AAPL', 'buy', 1, 'market', 1, '', 'r1', %s, timeline, %s
            from trading.lease""",
            [state, epoch],
        )

    def cancel(self) -> None:
        cancel(self.connection, "a")

    def take_again(self) -> None:
        self.connection.execute("update trading.lease set epoch = epoch + 1")

    def work(self, job: Callable[[Journal, Pump], Any]) -> Any:
        row = self.connection.execute("select timeline, epoch from trading.lease").fetchone()
        assert row is not None
        lease = Lease(self._holder, row[0], row[1], 0.0)

        async def work() -> Any:
            async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as own:
                journal = Journal(own, lease)
                # A venue that loses requests and answers when told to, no client of the real one.
                return await job(journal, Pump(own, journal, self.venue))  # type: ignore[arg-type]

        return asyncio.run(work())

    def round(self) -> bool:
        owed: bool = self.work(lambda _, pump: pump.run_once())
        return owed

    def order(self) -> tuple[str, str]:
        row = self.connection.execute("select state, reason from trading.orders").fetchone()
        assert row is not None
        return row


@pytest.fixture
def trade(connection: psycopg.Connection, database_url: str) -> Trade:
    return Trade(connection, database_url)


@pytest.mark.parametrize("epoch", [OLDER, OWN])
def test_a_lost_order_that_is_still_wanted_is_sent_again(trade: Trade, epoch: int) -> None:
    trade.lost(epoch)
    assert not trade.round()
    assert trade.venue.placed == ["a"]
    assert trade.order()[0] == "ACKED"


def test_a_lost_order_that_was_cancelled_is_over_and_never_sent(trade: Trade) -> None:
    trade.lost(OLDER)
    trade.cancel()
    assert not trade.round()
    assert trade.venue.placed == []
    assert trade.order() == ("CANCELED", "cancelled before it arrived")
    steps = trade.connection.execute(
        "select from_state, to_state, detail, epoch from trading.order_events order by id"
    ).fetchall()
    assert steps[-1] == ("UNKNOWN", "CANCELED", "cancelled before it arrived", OWN)
    (payload,) = trade.connection.execute("select payload from trading.events").fetchall()[-1]
    assert payload["orders"][0]["state"] == "CANCELED"


def test_a_cancelled_order_that_arrived_after_all_is_the_venues(trade: Trade) -> None:
    trade.lost(OLDER)
    trade.cancel()
    trade.venue.placed.append("a")
    trade.round()
    assert trade.order()[0] == "ACKED"


def test_a_cancelled_order_of_the_own_token_is_over_only_under_a_newer_one(trade: Trade) -> None:
    """Its request may still be on its way, and the venue would take it."""
    trade.lost(OWN)
    trade.cancel()
    with pytest.raises(SendOutcomeUnknown, match="the lease is taken again"):
        trade.round()
    assert trade.order()[0] == "UNKNOWN"
    trade.take_again()
    assert not trade.round()
    assert trade.order()[0] == "CANCELED"
    assert trade.venue.placed == []


def test_a_cancelled_order_of_the_own_token_that_arrives_late_is_not_forgotten(
    trade: Trade,
) -> None:
    trade.lost(OWN)
    trade.cancel()
    with pytest.raises(SendOutcomeUnknown):
        trade.round()
    trade.venue.placed.append("a")
    trade.take_again()
    trade.round()
    assert trade.order()[0] == "ACKED"


def test_an_order_sent_again_in_vain_has_the_token_that_sent_it_last(trade: Trade) -> None:
    trade.lost(OLDER)
    trade.venue.loses_requests = True
    assert trade.round()
    trade.cancel()
    with pytest.raises(SendOutcomeUnknown):
        trade.round()


def test_a_cancel_while_the_venue_is_asked_counts(trade: Trade) -> None:
    trade.lost(OLDER)
    trade.venue.when_asked = trade.cancel
    assert not trade.round()
    assert trade.venue.placed == []
    assert trade.order()[0] == "CANCELED"


def test_a_cancelled_order_is_never_claimed_again(trade: Trade) -> None:
    trade.lost(OLDER)
    trade.cancel()
    assert trade.work(lambda journal, _: journal.claim(again=["a"])) == []
    assert trade.order()[0] == "UNKNOWN"


def test_the_kill_switch_ends_a_lost_order_and_arming_does_not_send_it(trade: Trade) -> None:
    trade.lost(OLDER)
    killswitch.trip(trade.connection, "a test")
    assert not trade.round()
    assert trade.order()[0] == "CANCELED"
    killswitch.rearm(trade.connection, "all is well")
    trade.round()
    assert trade.venue.placed == []
