"""Buys below the lower band, sells at the middle one; the width is a parameter."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from statistics import stdev
from typing import ClassVar

from pydantic import Field

from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters, mean


class Chosen(Parameters):
    window: int = Field(default=20, ge=5, le=200)
    width: Decimal = Field(default=Decimal("1.5"), gt=0, le=5)


@dataclass(frozen=True)
class Bollinger(Instance[Chosen]):
    Parameters: ClassVar[type[Parameters]] = Chosen

    @property
    def lookback(self) -> int:
        return self.parameters.window

    def on_bars(self, history: History) -> list[Signal]:
        found = (self._decide(history, symbol) for symbol in history.symbols)
        return [signal for signal in found if signal is not None]

    def _decide(self, history: History, symbol: str) -> Signal | None:
        closes = history.closes(symbol, self.lookback)
        if not closes:
            return None
        middle, width = mean(closes), stdev(closes) * self.parameters.width
        if closes[-1] < middle - width:
            return self.signal(history, symbol, Decimal(40), "below the lower band")
        return self.signal(history, symbol, Decimal(0), "middle") if closes[-1] > middle else None


STRATEGY = Bollinger
