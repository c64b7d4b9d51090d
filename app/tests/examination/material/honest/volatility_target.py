"""Holds less the more a share moves; re-sizes once a week."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from statistics import pstdev
from typing import ClassVar

from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters, whole_shares


@dataclass(frozen=True)
class VolatilityTarget(Instance[Parameters]):
    Parameters: ClassVar[type[Parameters]] = Parameters

    @property
    def lookback(self) -> int:
        return 21

    def on_bars(self, history: History) -> list[Signal]:
        found = (self._decide(history, symbol) for symbol in history.symbols)
        return [signal for signal in found if signal is not None]

    def _decide(self, history: History, symbol: str) -> Signal | None:
        bars = history.bars(symbol, 21)
        if not bars or bars[-1].timestamp.weekday() != 0:
            return None
        returns = [float(b.close / a.close) - 1 for a, b in pairwise(bars)]
        scale = min(1.0, 0.01 / (pstdev(returns) or 0.01))
        if scale < 0.6:
            return self.signal(history, symbol, Decimal(0), f"too wild, scale {scale:.2f}")
        money = self.capital / len(self.symbols) * Decimal(str(round(scale, 3)))
        target = whole_shares(money, bars[-1].close)
        return self.signal(history, symbol, target, f"scale {scale:.2f}")


STRATEGY = VolatilityTarget
