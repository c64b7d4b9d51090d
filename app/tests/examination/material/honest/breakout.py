"""Buys above the highest close of 40 days, sells below the lowest of 20 (Donchian)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters, whole_shares


@dataclass(frozen=True)
class Breakout(Instance[Parameters]):
    Parameters: ClassVar[type[Parameters]] = Parameters

    @property
    def lookback(self) -> int:
        return 41

    def on_bars(self, history: History) -> list[Signal]:
        found = (self._decide(history, symbol) for symbol in history.symbols)
        return [signal for signal in found if signal is not None]

    def _decide(self, history: History, symbol: str) -> Signal | None:
        closes = history.closes(symbol, 41)
        if not closes:
            return None
        before, now = closes[:-1], closes[-1]
        if now > max(before):
            target = whole_shares(self.capital / len(self.symbols), now)
            return self.signal(history, symbol, target, "above all closes of 40 days")
        if now < min(before[-20:]):
            return self.signal(history, symbol, Decimal(0), "below all closes of 20 days")
        return None


STRATEGY = Breakout
