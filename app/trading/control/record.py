"""Does it trade as its record says? Signals and orders stored live, against a backtest of the same
release over the same stored bars.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection
from psycopg.pq import TransactionStatus

from trading.backtest.runner import signals_of
from trading.control.checks import Check
from trading.control.signal_comparison import compared
from trading.errors import StrategyError
from trading.market_data import repository
from trading.market_data.bars import Bar
from trading.market_data.replay import Replay
from trading.orders.ids import client_order_id
from trading.strategies.base import Signal, Strategy

# `before`: what a strategy held or had on its way when it placed an order, as `live_day` counted it
# then. Every order of the strategy moves that by all its shares, also one that came back from the
# venue's book after a restore; what a cancelled or refused one never got moves it back at that
# moment. The id of an order is made of its signal, so it says which target it was meant for.
_PLACED = """
with every as (
  select *, case side when 'buy' then 1 else -1 end as sign from trading.orders
), moves as (
  select client_order_id, strategy, symbol, created_at as at, sign * quantity as shares from every
  union all
  select null, strategy, symbol, ended.at, sign * (filled_quantity - quantity)
  from every join trading.order_events as ended using (client_order_id)
  where state in ('CANCELED', 'REJECTED') and ended.to_state = state
), told as (
  select client_order_id, coalesce(sum(shares) over (partition by strategy, symbol order by at
    rows between unbounded preceding and 1 preceding), 0) as before
  from moves
)
select client_order_id, side, before from told join trading.orders using (client_order_id)
where source = 'strategy' and bar_timestamp = any(%s) order by bar_timestamp, client_order_id
"""


def against_record(
    connection: Connection[Any],
    strategies: Sequence[Strategy],
    release: str,
    since: datetime,
    least_days: int = 0,
) -> list[Check]:
    """A check for each strategy, and one for the orders, over the days completed since `since`.

    `samples` is the number of those days; with fewer than `least_days` the check fails. Days on
    which another release signalled are left out: at a switch a day belongs to one of the two.
    A strategy is compared on the days whose whole window is still stored. Everything is read as of
    one moment, whatever the trader writes meanwhile.
    """
    with _one_moment(connection):
        return _checks(connection, strategies, release, since, least_days)


@contextmanager
def _one_moment(connection: Connection[Any]) -> Iterator[None]:
    """Every query inside sees the same state; a transaction of the caller's stays what it is."""
    begins = connection.info.transaction_status == TransactionStatus.IDLE
    with connection.transaction():
        if begins:
            connection.execute("set transaction isolation level repeatable read, read only")
            # Before the first query, which takes the snapshot: a month that is dropped afterwards
            # would be missing in it too. Who drops months does not wait for readers.
            connection.execute("lock table trading.bars in access share mode")
        yield


def _checks(
    connection: Connection[Any],
    strategies: Sequence[Strategy],
    release: str,
    since: datetime,
    least_days: int,
) -> list[Check]:
    recorded = _recorded(connection, since)
    foreign = {signal.bar_timestamp for signal, of in recorded if of != release}
    days = [day for day in _completed_days(connection, since) if day not in foreign]
    if len(days) < max(least_days, 1):
        text = f"{len(days)} days completed since {since.isoformat()}, {least_days} are needed"
        return [Check("days", len(days) >= least_days, text, len(days))]
    live = [signal for signal, _ in recorded if signal.bar_timestamp in set(days)]
    checks = [_compare(connection, strategy, live, days) for strategy in strategies]
    return [*checks, _unknown(strategies, live, len(days)), _orders(connection, live, days)]


def _compare(
    connection: Connection[Any], strategy: Strategy, live: list[Signal], days: list[datetime]
) -> Check:
    before = repository.last_days(connection, strategy.lookback, before=days[0])
    bars = [*before, *repository.days_between(connection, days[0], days[-1])]
    judged = _with_whole_window(strategy, bars, days)
    if not judged:
        text = f"none of {len(days)} days has the {strategy.lookback} stored days it was decided on"
        return Check(f"signals of {strategy.name}", True, text, 0)
    try:
        expected = [s for s in signals_of([strategy], bars) if s.bar_timestamp in judged]
    except StrategyError as error:
        return Check(f"signals of {strategy.name}", False, error.message, len(judged))
    told = [signal for signal in live if signal.bar_timestamp in judged]
    return compared(strategy.name, told, expected, len(judged), "live against its backtest")


def _with_whole_window(
    strategy: Strategy, bars: Sequence[Sequence[Bar]], days: list[datetime]
) -> set[datetime]:
    """Days that a backtest over the stored bars can decide as the trader did.

    Old bars are dropped. Signals of the first days after that remain, the window they were decided
    on does not. Before the very first day there was nothing to drop.
    """
    begins = bool(bars) and bars[0][0].timestamp == Replay().timestamp(0)
    first = 0 if begins else strategy.lookback - 1
    if len(bars) <= first:
        return set()
    return {day for day in days if day >= bars[first][0].timestamp}


def _unknown(strategies: Sequence[Strategy], live: list[Signal], samples: int) -> Check:
    """Signals of strategies that this release does not even run."""
    names = {signal.strategy for signal in live} - {strategy.name for strategy in strategies}
    message = f"signals of unknown strategies: {', '.join(sorted(names)) or 'none'}"
    return Check("known strategies", not names, message, samples)


def _orders(connection: Connection[Any], live: list[Signal], days: list[datetime]) -> Check:
    """Every order of a strategy follows from a recorded signal, whose target it moves towards."""
    targets = {
        client_order_id(s.strategy, s.symbol, s.bar_timestamp, s.target_quantity): s.target_quantity
        for s in live
    }
    placed = connection.execute(_PLACED, (days,)).fetchall()
    problems = [problem for row in placed if (problem := _order_problem(targets.get(row[0]), *row))]
    if problems:
        text = f"{len(problems)} of {len(placed)} orders are wrong, e.g. {problems[0]}"
        return Check("orders", False, text, len(placed))
    text = f"{len(placed)} orders, each towards the target of its signal"
    return Check("orders", True, text, len(placed))


def _order_problem(target: Decimal | None, order: str, side: str, before: Decimal) -> str:
    if target is None:
        return f"{order} follows from no signal"
    right = "buy" if target > before else "sell"
    return "" if side == right else f"{order}: a {side} from {before:f} towards {target:f} shares"


def _recorded(connection: Connection[Any], since: datetime) -> list[tuple[Signal, str]]:
    """Signals stored since then, each with the release that decided it."""
    rows = connection.execute(
        "select strategy, symbol, bar_timestamp, target_quantity, reason, release "
        "from trading.signals where recorded_at >= %s order by bar_timestamp, strategy, symbol",
        (since,),
    )
    return [
        (Signal(strategy, symbol, at.astimezone(UTC), target, reason), release)
        for strategy, symbol, at, target, reason, release in rows
    ]


def _completed_days(connection: Connection[Any], since: datetime) -> list[datetime]:
    """Days whose equity was written since then: the last thing that happens to a day."""
    rows = connection.execute(
        "select bar_timestamp from trading.equity where recorded_at >= %s order by bar_timestamp",
        (since,),
    )
    return [row[0].astimezone(UTC) for row in rows]
