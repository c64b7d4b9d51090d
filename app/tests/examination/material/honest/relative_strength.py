"""Buys when the relative strength index is below 30, sells above 55 (Wilder, 1978)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import ClassVar

from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters


@dataclass(frozen=True)
class RelativeStrength(Instance[Parameters]):
    Parameters: ClassVar[type[Parameters]] = Parameters

    @property
    def lookback(self) -> int:
        return 15

    def on_bars(self, history: History) -> list[Signal]:
        found = (self._decide(history, symbol) for symbol in history.symbols)
        return [signal for signal in found if signal is not None]

    def _decide(self, history: History, symbol: str) -> Signal | None:
        closes = history.closes(symbol, 15)
        if not closes:
            return None
        changes = [after - before for before, after in pairwise(closes)]
        gains = sum((c for c in changes if c > 0), Decimal(0))
        losses = -sum((c for c in changes if c < 0), Decimal(0))
        index = 100 * gains / ((gains + losses) or Decimal(1))
        if index < 30:
            return self.signal(history, symbol, Decimal(50), f"index {index:.0f}")
        return (
            self.signal(history, symbol, Decimal(0), f"index {index:.0f}") if index > 55 else None
        )


STRATEGY = RelativeStrength
