"""Buys after a day that opened much lower than the close before, for one day."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters


@dataclass(frozen=True)
class GapFade(Instance[Parameters]):
    Parameters: ClassVar[type[Parameters]] = Parameters

    @property
    def lookback(self) -> int:
        return 2

    def on_bars(self, history: History) -> list[Signal]:
        found = (self._decide(history, symbol) for symbol in history.symbols)
        return [signal for signal in found if signal is not None]

    def _decide(self, history: History, symbol: str) -> Signal | None:
        bars = history.bars(symbol, 2)
        if not bars:
            return None
        gap = bars[1].open / bars[0].close - 1
        target = Decimal(80) if gap < Decimal("-0.01") else Decimal(0)
        return self.signal(history, symbol, target, f"gap {gap:+.2%}")


STRATEGY = GapFade
