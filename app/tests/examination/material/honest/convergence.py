"""Moving-average convergence: the fast average against the slow one, exponentially weighted."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters


@dataclass(frozen=True)
class Convergence(Instance[Parameters]):
    Parameters: ClassVar[type[Parameters]] = Parameters

    @property
    def lookback(self) -> int:
        return 60

    def on_bars(self, history: History) -> list[Signal]:
        found = (self._decide(history, symbol) for symbol in history.symbols)
        return [signal for signal in found if signal is not None]

    def _decide(self, history: History, symbol: str) -> Signal | None:
        closes = history.closes(symbol, 60)
        if not closes:
            return None
        fast, slow = _average(closes, 12), _average(closes, 26)
        before = _average(closes[:-1], 12) > _average(closes[:-1], 26)
        if (fast > slow) == before:
            return None
        target = Decimal(60) if fast > slow else Decimal(0)
        return self.signal(history, symbol, target, f"{fast:.2f} against {slow:.2f}")


def _average(closes: tuple[Decimal, ...], span: int) -> Decimal:
    value = closes[0]
    for close in closes[1:]:
        value += (close - value) * 2 / (span + 1)
    return value


STRATEGY = Convergence
