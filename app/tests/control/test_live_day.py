"""The third step of a day: what it is judged by, and that it happens whole or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from pydantic import BaseModel

from trading.backtest.kernel import StrategyEngine
from trading.control import live_day
from trading.control.intents import write_intents
from trading.control.lease import Lease
from trading.control.live_day import LiveDay
from trading.errors import LeaseLost
from trading.market_data.bars import Bar
from trading.strategies.base import History, Signal
from trading.values import RiskValues, Values

FIRST = datetime(2013, 5, 6, 21, tzinfo=UTC)


class Tape:
    """Days of one symbol whose prices a test chooses."""

    def __init__(self, closes: Sequence[int]) -> None:
        self._closes = closes

    def timestamp(self, index: int) -> datetime:
        return FIRST + timedelta(days=index)

    def day(self, index: int) -> tuple[Bar, ...]:
        close = Decimal(self._closes[index])
        return (Bar("AAPL", self.timestamp(index), close, close, close, close, 1_000_000),)


class Nothing(BaseModel):
    """This strategy has no parameters."""


class OneMoreEachDay:
    name, symbols, lookback, capital = "eager", ("AAPL",), 1, Decimal(1_000)
    parameters = Nothing()

    def on_bars(self, history: History) -> list[Signal]:
        target = Decimal(100 + (history.now - FIRST).days)
        return [Signal(self.name, "AAPL", history.now, target, "one more")]


class Days:
    """A trader's days without a venue: 99 shares are held from the start on."""

    def __init__(self, connection: psycopg.Connection, url: str, closes: Sequence[int]) -> None:
        self.connection = connection
        connection.execute(
            "insert into trading.positions (strategy, symbol, quantity, average_price) "
            "values ('eager', 'AAPL', 99, 100)"
        )
        row = connection.execute(
            "insert into trading.lease (slot, holder, timeline, epoch) "
            "values ('blue', gen_random_uuid(), trading.timeline(), 1) returning holder, timeline"
        ).fetchone()
        assert row is not None
        self.lease = Lease(uuid.UUID(str(row[0])), row[1], 1, 0.0)
        self.live = LiveDay(
            psycopg.connect(url, autocommit=True),
            Values(risk=RiskValues(max_daily_loss=Decimal(1_000))),
            Tape(closes),  # type: ignore[arg-type]  # prices that no packaged day has
            lambda: StrategyEngine([OneMoreEachDay()]),
            "r1",
        )

    def trade(self) -> int:
        return self.live.decide(self.lease, self.live.store(self.lease, self.live.place()))

    def written(self, table: str) -> int:
        row = self.connection.execute(f"select count(*) from trading.{table}").fetchone()
        assert row is not None
        return int(row[0])

    def completed(self) -> int:
        """How many days are done."""
        at = self.live.place().completed_day
        return 0 if at is None else (at - FIRST).days + 1


@pytest.fixture
def days(
    connection: psycopg.Connection, database_url: str, request: pytest.FixtureRequest
) -> Iterator[Days]:
    days = Days(connection, database_url, getattr(request, "param", [100, 100]))
    yield days
    days.live.close()


@pytest.mark.parametrize("days", [[100, 100, 80, 80]], indirect=True)
def test_the_losses_of_a_day_stop_the_orders_of_that_day_and_no_others(days: Days) -> None:
    assert [days.trade() for _ in range(4)] == [1, 1, 0, 1]
    reasons = [
        reason
        for (reason,) in days.connection.execute(
            "select reason from trading.orders order by bar_timestamp"
        )
    ]
    assert [reason.partition(":")[0] for reason in reasons] == ["", "", "DAILY_LOSS_LIMIT", ""]


def test_a_day_that_is_done_has_its_signal_its_equity_and_one_event_of_it(days: Days) -> None:
    days.trade()
    days.trade()
    assert (days.written("signals"), days.written("equity"), days.completed()) == (2, 2, 2)
    told = days.connection.execute(
        "select payload from trading.events where kind = 'equity' order by seq"
    ).fetchall()
    stored = days.connection.execute(
        "select jsonb_build_object('bar_timestamp', bar_timestamp, 'equity', equity) "
        "from trading.equity order by bar_timestamp"
    ).fetchall()
    assert told == stored


def test_a_trader_without_the_lease_leaves_nothing_of_the_day(days: Days) -> None:
    today = days.live.store(days.lease, days.live.place())
    days.connection.execute("update trading.lease set epoch = epoch + 1")
    with pytest.raises(LeaseLost):
        days.live.decide(days.lease, today)
    assert _nothing_is_decided(days)


def test_a_day_that_breaks_off_after_its_orders_leaves_nothing_and_is_done_again(
    days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Exception):
        pass

    def write_and_break(*asked: Any) -> int:
        assert write_intents(*asked) == 1
        raise Broken

    with monkeypatch.context() as patched:
        patched.setattr(live_day, "write_intents", write_and_break)
        with pytest.raises(Broken):
            days.trade()
    assert _nothing_is_decided(days)
    assert days.trade() == 1
    assert (days.written("equity"), days.completed()) == (1, 1)


def _nothing_is_decided(days: Days) -> bool:
    tables = ("signals", "equity", "orders")
    return days.completed() == 0 and not any(days.written(table) for table in tables)
