"""One replayed trading day, in three steps that can each be repeated after a crash.

1. store     bars and the replay's place, fenced, in one transaction
2. trade     the venue matches the day (once), its fills go into the ledger
3. decide    strategies look at the day; its equity, signals, intents and "done" in one fenced
             transaction

A process that takes over finds which step was last and goes on there; ids are functions of the
day, so a step done twice is the same step. Days that the venue is beyond already (`behind`) are
only written: nothing of them can still be traded.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from trading.backtest.kernel import Key, StrategyEngine, orders_for
from trading.control import behind
from trading.control.intents import write_intents
from trading.control.lease import FENCE, Lease
from trading.market_data import repository
from trading.market_data.bars import Bar
from trading.market_data.replay import Replay
from trading.strategies.base import Signal
from trading.values import Values

_HOLDS = f"with {FENCE} select 1 from fence"

_STORE = f"""
with {FENCE}, prices as (
  insert into trading.instruments as i (symbol, last_price, last_bar_timestamp)
  select * from unnest(%(symbols)s::text[], %(closes)s::numeric[], %(times)s::timestamptz[])
  where exists (select 1 from fence)
  on conflict (symbol) do update set last_price = excluded.last_price,
    last_bar_timestamp = excluded.last_bar_timestamp
), moved as (
  update trading.replay_state set day_index = %(index)s, stored_day = %(day)s,
    updated_at = clock_timestamp() where exists (select 1 from fence)
), told as (
  insert into trading.events (kind, payload) select 'bars', %(event)s from fence
)
select 1 from fence
"""

# Written before the orders of the day are judged: the limit of a day's loss is about this day.
_EQUITY = f"""
with {FENCE}, sums as (
  select coalesce(sum(p.realized_profit), 0) as realized,
    coalesce(sum((coalesce(i.last_price, p.average_price) - p.average_price) * p.quantity), 0)
      as unrealized,
    coalesce(sum(p.fees), 0) as fees
  from trading.positions p left join trading.instruments i using (symbol)
), point as (
  insert into trading.equity (bar_timestamp, realized_profit, unrealized_profit, fees, equity)
  select %(day)s, realized, unrealized, fees, %(cash)s + realized + unrealized - fees
  from sums, fence
  on conflict (bar_timestamp) do update set equity = excluded.equity,
    realized_profit = excluded.realized_profit, unrealized_profit = excluded.unrealized_profit,
    fees = excluded.fees
)
select 1 from fence
"""

# The event comes last: who wrote one keeps all other writers of events waiting until the commit.
_DONE = f"""
with {FENCE}, signals as (
  insert into trading.signals (strategy, symbol, bar_timestamp, target_quantity, reason, release,
    epoch)
  select strategy, symbol, bar_timestamp, target_quantity, reason, %(release)s, %(epoch)s
  from jsonb_to_recordset(%(signals)s) as x(strategy text, symbol text, bar_timestamp timestamptz,
    target_quantity numeric, reason text)
  where exists (select 1 from fence)
  on conflict do nothing
), moved as (
  update trading.replay_state set completed_day = %(day)s, updated_at = clock_timestamp()
  where exists (select 1 from fence)
), told as (
  insert into trading.events (kind, payload)
  select 'equity', jsonb_build_object('bar_timestamp', bar_timestamp, 'equity', equity)
  from trading.equity, fence where bar_timestamp = %(day)s
)
select 1 from fence
"""

_UNSETTLED = """select exists (select 1 from trading.orders
  where source = 'strategy' and state in ('NEW', 'SENT', 'UNKNOWN'))"""

_HELD = """
select strategy, symbol, sum(quantity) as held from (
  select strategy, symbol, quantity from trading.positions
  union all
  select strategy, symbol, (quantity - filled_quantity) * case side when 'buy' then 1 else -1 end
  from trading.orders where state in ('NEW', 'SENT', 'ACKED', 'PARTIALLY_FILLED', 'UNKNOWN')
) as every group by strategy, symbol
"""

_KEEP_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where the replay is: a stored day that is not completed has to be gone on with."""

    day_index: int
    stored_day: datetime | None
    completed_day: datetime | None

    @property
    def unfinished(self) -> bool:
        return self.stored_day is not None and self.stored_day != self.completed_day


@dataclass(frozen=True, slots=True)
class Day:
    """`bars` is empty on a day on which every symbol is suspended."""

    timestamp: datetime
    bars: tuple[Bar, ...]

    def document(self) -> dict[str, object]:
        """What the venue is posted, and the event says."""
        return {
            "timestamp": self.timestamp.isoformat(),
            "bars": [
                {
                    "symbol": bar.symbol,
                    "open": str(bar.open),
                    "high": str(bar.high),
                    "low": str(bar.low),
                    "close": str(bar.close),
                    "volume": bar.volume,
                }
                for bar in self.bars
            ],
        }


class LiveDay:
    """Methods that write raise `LeaseLost`.

    One at a time: a thread whose task was cancelled still finishes what it began.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        values: Values,
        replay: Replay,
        new_engine: Callable[[], StrategyEngine],
        release: str,
    ) -> None:
        self._connection = connection
        self._values = values
        self._replay = replay
        self._new_engine = new_engine
        self._engine = new_engine()
        self._release = release
        self._month = (0, 0)
        self._level = ""  # the token under which this ledger is known to be where the venue is
        self._lock = threading.RLock()

    def place(self) -> Place:
        with self._lock:
            row = self._connection.execute(
                "select day_index, stored_day, completed_day from trading.replay_state"
            ).fetchone()
        assert row is not None  # inserted by the migration
        return Place(*row)

    def settled(self) -> bool:
        """Whether the venue has answered for every order of a strategy: only then comes a day."""
        with self._lock:
            row = self._connection.execute(_UNSETTLED).fetchone()
        return row is not None and not row[0]

    def store(self, lease: Lease, place: Place) -> Day:
        """Step 1; a day that is stored already is returned again."""
        index = place.day_index if place.unfinished else place.day_index + 1
        bars = self._replay.day(index)
        day = self._replay.timestamp(index)
        if place.unfinished:
            return Day(day, bars)
        new_month = (day.year, day.month) != self._month
        asked_at = time.monotonic()
        with self._lock, self._connection.transaction():
            held = self._connection.execute(_HOLDS, lease.values()).fetchone()
            lease.seen(held is not None, asked_at)
            repository.store(self._connection, bars)
            self._connection.execute(
                _STORE,
                {
                    **lease.values(),
                    "symbols": [bar.symbol for bar in bars],
                    "closes": [bar.close for bar in bars],
                    "times": [bar.timestamp for bar in bars],
                    "index": index,
                    "day": day,
                    "event": Jsonb(Day(day, bars).document()),
                },
            )
        if new_month:
            with self._lock:
                self._forget_old(day)
            self._month = (day.year, day.month)
        return Day(day, bars)

    def decide(self, lease: Lease, today: Day, beyond: bool = False) -> int:
        """Step 3; returns the number of new intents.

        `beyond`: the venue has traded a later day. No intents then; the first day that is not
        behind makes those that are still missing.
        """
        with self._lock:
            return self._decide(lease, today, beyond)

    def _decide(self, lease: Lease, today: Day, beyond: bool) -> int:
        day = today.timestamp
        self._catch_up(day)
        signals = self._engine.on_day(today.bars)
        values = {
            **lease.values(),
            "day": day,
            "release": self._release,
            "cash": self._values.account.starting_cash,
            "signals": Jsonb([_signal(signal) for signal in signals]),
        }
        with self._connection.transaction():  # a lost lease raises: that undoes all of it
            self._fenced(lease, _EQUITY, values)
            wanted = self._wanted(lease, today, signals, beyond)
            orders = orders_for(wanted, self._held(), {}) if wanted else []
            written = write_intents(
                self._connection, lease, orders, self._values.risk, self._release
            )
            self._fenced(lease, _DONE, values)
        self._level = "" if beyond else lease.token
        return written

    def _fenced(self, lease: Lease, statement: str, values: dict[str, Any]) -> None:
        asked_at = time.monotonic()
        held = self._connection.execute(statement, values).fetchone()
        lease.seen(held is not None, asked_at)

    def _wanted(
        self, lease: Lease, today: Day, signals: list[Signal], beyond: bool
    ) -> list[Signal]:
        """The signals whose targets are to be reached now."""
        if beyond:
            behind.mark(self._connection, lease, today.timestamp)
            return []
        if self._level == lease.token:
            return signals  # whoever holds the lease is the only one who marks a day
        if not behind.marked(self._connection, self.place().completed_day):
            return signals
        return behind.newest_targets(self._connection, signals, self._engine.keys)

    def follow(self) -> None:
        """Keep the engine warm in a slot that does not trade: the days others completed."""
        with self._lock:
            completed = self.place().completed_day
            now = self._engine.now
            if completed is not None and (now is None or now < completed):
                self._catch_up(completed + timedelta(microseconds=1))

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _catch_up(self, day: datetime) -> None:
        """Afterwards the engine knows the stored days before `day`, and none after."""
        now = self._engine.now
        if now is not None and now >= day:
            # This process decided the day before and then could not write it.
            self._engine = self._new_engine()
            now = None
        if now is None:
            days = repository.last_days(self._connection, self._engine.lookback, before=day)
        else:
            end = day - timedelta(microseconds=1)
            first = now + timedelta(microseconds=1)
            days = repository.days_between(self._connection, first, end)
        self._engine.warm_up(days)

    def _held(self) -> dict[Key, Any]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(_HELD).fetchall()
        return {(row["strategy"], row["symbol"]): row["held"] for row in rows}

    def _forget_old(self, day: datetime) -> None:
        oldest = day - timedelta(days=self._values.replay.retention_days)
        repository.drop_months_before(self._connection, oldest)
        with self._connection.transaction():  # a day without its signals looks like a wrong one
            for table in ("signals", "equity"):
                self._connection.execute(
                    f"delete from trading.{table} where bar_timestamp < %s",  # nosec B608 - literals
                    [oldest],
                )
        self._connection.execute(
            "delete from trading.events where seq < (select max(seq) from trading.events) - %s",
            [_KEEP_EVENTS],
        )


def _signal(signal: Signal) -> dict[str, str]:
    return {
        "strategy": signal.strategy,
        "symbol": signal.symbol,
        "bar_timestamp": signal.bar_timestamp.isoformat(),
        "target_quantity": str(signal.target_quantity),
        "reason": signal.reason,
    }
