"""The shadow run: this release's signals on stored bars, by the live path and by the offline one.

Offline: one engine sees all days in a row, as in a backtest. Live: for each day a new engine that
is warmed up from the database and asked about that day alone, as in a trader that just started. A
strategy with a memory of its own, a clock or a random number decides differently on the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from trading.backtest.kernel import StrategyEngine
from trading.backtest.runner import signals_of
from trading.control.checks import Check
from trading.control.signal_comparison import compared
from trading.errors import StrategyError
from trading.market_data import repository
from trading.market_data.bars import Bar
from trading.strategies.base import Signal, Strategy

BOOTSTRAP_BARS = 30
_ALL_DAYS = 1_000  # where the last days have no signal, look back over this many

Days = Sequence[Sequence[Bar]]


def shadow_run(
    connection: Connection[Any], strategies: Sequence[Strategy], bars: int
) -> list[Check]:
    """A check for each strategy over its last `bars` stored days; reads only."""
    if not strategies:
        return [Check("strategies", False, "no strategy is enabled", 0)]
    stored = repository.count_bars(connection, BOOTSTRAP_BARS)
    if stored < BOOTSTRAP_BARS:
        text = f"bootstrap: {stored} bars are stored, {BOOTSTRAP_BARS} are needed to compare"
        return [Check(f"signals of {s.name}", True, text, stored) for s in strategies]
    lookback = max(strategy.lookback for strategy in strategies)
    days = repository.last_days(connection, max(bars, _ALL_DAYS) + lookback)
    return [compare_paths(strategy, days, bars) for strategy in strategies]


def compare_paths(strategy: Strategy, days: Days, last: int) -> Check:
    """The check of one strategy over the `last` of `days`; over all where those have no signal."""
    first = strategy.lookback - 1  # earlier days cannot be decided by anybody
    if len(days) <= first:
        text = f"bootstrap: {len(days)} days are stored, its lookback is {strategy.lookback}"
        return Check(f"signals of {strategy.name}", True, text, 0)
    try:
        offline = signals_of([strategy], days)
        start = max(first, len(days) - last)
        since = days[start][0].timestamp
        if not any(signal.bar_timestamp >= since for signal in offline):
            start = first
            since = days[start][0].timestamp
        live = live_signals(strategy, days, start)
    except StrategyError as error:
        return Check(f"signals of {strategy.name}", False, error.message, len(days))
    recent = [signal for signal in offline if signal.bar_timestamp >= since]
    count = len(days) - start
    if not (live or recent) and count > BOOTSTRAP_BARS:
        text = f"no signal on {count} stored days; that proves nothing"
        return Check(f"signals of {strategy.name}", False, text, count)
    return compared(strategy.name, live, recent, count, "live path against offline")


def live_signals(strategy: Strategy, days: Days, start: int) -> list[Signal]:
    """The signals of each day from index `start` on, each by an engine that just started."""
    found: list[Signal] = []
    for index in range(start, len(days)):
        engine = StrategyEngine([strategy])
        engine.warm_up(days[max(0, index - strategy.lookback + 1) : index])
        found.extend(engine.on_day(days[index]))
    return found
