"""Buys a rise on more than twice the usual volume, holds until a fall on such volume."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import ClassVar

from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters


@dataclass(frozen=True)
class VolumeSurge(Instance[Parameters]):
    Parameters: ClassVar[type[Parameters]] = Parameters

    @property
    def lookback(self) -> int:
        return 21

    def on_bars(self, history: History) -> list[Signal]:
        found = (self._decide(history, symbol) for symbol in history.symbols)
        return [signal for signal in found if signal is not None]

    def _decide(self, history: History, symbol: str) -> Signal | None:
        bars = history.bars(symbol, 21)
        if not bars:
            return None
        usual = median(bar.volume for bar in bars[:-1])
        if bars[-1].volume < 1.5 * usual:
            return None
        up = bars[-1].close > bars[-1].open
        target = Decimal(45) if up else Decimal(0)
        return self.signal(history, symbol, target, "a rise" if up else "a fall")


STRATEGY = VolumeSurge
