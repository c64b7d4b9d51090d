"""Buys a close more than one average true range above the last (Wilder, 1978), leaves below it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import ClassVar

from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters


@dataclass(frozen=True)
class TrueRange(Instance[Parameters]):
    Parameters: ClassVar[type[Parameters]] = Parameters

    @property
    def lookback(self) -> int:
        return 16

    def on_bars(self, history: History) -> list[Signal]:
        found = (self._decide(history, symbol) for symbol in history.symbols)
        return [signal for signal in found if signal is not None]

    def _decide(self, history: History, symbol: str) -> Signal | None:
        bars = history.bars(symbol, 16)
        if not bars:
            return None
        ranges = [max(b.high, a.close) - min(b.low, a.close) for a, b in pairwise(bars[:-1])]
        average = sum(ranges, Decimal(0)) / len(ranges)
        move = bars[-1].close - bars[-2].close
        if move > average:
            return self.signal(history, symbol, Decimal(50), "a strong day up")
        return (
            self.signal(history, symbol, Decimal(0), "a strong day down")
            if move < -average
            else None
        )


STRATEGY = TrueRange
