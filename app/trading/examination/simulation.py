"""From the subject's signals to trades and equity: by the judge's own engine, book and fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from trading.backtest.runner import Result, run
from trading.examination.runs import Days, Wanted
from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters
from trading.venues.costs import Costs


@dataclass(frozen=True)
class Recorded(Instance[Parameters]):
    """A strategy that says what was recorded."""

    signals: Mapping[datetime, list[Signal]]

    @property
    def lookback(self) -> int:
        return 1

    def on_bars(self, history: History) -> list[Signal]:
        return self.signals.get(history.now, [])


def simulate(
    signals: Mapping[datetime, list[Signal]], wanted: Wanted, days: Days, costs: Costs
) -> Result:
    """Raises what `runner.run` raises: `NoSignals`, `CostsMissing`, `StrategyFailed` …"""
    strategy = Recorded(wanted.name, Parameters(), wanted.symbols, wanted.capital, signals)
    return run([strategy], days, costs)
