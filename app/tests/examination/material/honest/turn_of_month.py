"""Holds all shares equally from the first session of a month that began above its average."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters, mean, whole_shares


@dataclass(frozen=True)
class TurnOfMonth(Instance[Parameters]):
    Parameters: ClassVar[type[Parameters]] = Parameters

    @property
    def lookback(self) -> int:
        return 22

    def on_bars(self, history: History) -> list[Signal]:
        signals = []
        for symbol in history.symbols:
            bars = history.bars(symbol, 22)
            if bars and bars[-1].timestamp.month != bars[-2].timestamp.month:
                above = bars[-1].close > mean(tuple(bar.close for bar in bars))
                share = self.capital / len(self.symbols)
                target = whole_shares(share, bars[-1].close) if above else Decimal(0)
                signals.append(self.signal(history, symbol, target, "first session of a month"))
        return signals


STRATEGY = TurnOfMonth
