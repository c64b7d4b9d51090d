"""Follows the change over a quarter, with a band in which nothing happens."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters


@dataclass(frozen=True)
class RateOfChange(Instance[Parameters]):
    Parameters: ClassVar[type[Parameters]] = Parameters

    @property
    def lookback(self) -> int:
        return 64

    def on_bars(self, history: History) -> list[Signal]:
        found = (self._decide(history, symbol) for symbol in history.symbols)
        return [signal for signal in found if signal is not None]

    def _decide(self, history: History, symbol: str) -> Signal | None:
        closes = history.closes(symbol, 64)
        if not closes:
            return None
        change = closes[-2] / closes[0] - 1
        if abs(change) < Decimal("0.02"):
            return None
        target = Decimal(70) if change > 0 else Decimal(0)
        return self.signal(history, symbol, target, f"{change:+.1%} in a quarter")


STRATEGY = RateOfChange
