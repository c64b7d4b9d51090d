"""Trend following: hold a symbol while its fast average is above its slow one.

Moving-average oscillator after Brock, Lakonishok and LeBaron, "Simple technical trading rules and
the stochastic properties of stock returns", Journal of Finance 47(5), 1992.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters, mean, whole_shares

Days = Annotated[int, Field(ge=1, le=400)]


class SmaCrossParameters(Parameters):
    """Lengths of the two averages in days."""

    fast: Days = 5
    slow: Days = 20

    @model_validator(mode="after")
    def _fast_is_faster(self) -> SmaCrossParameters:
        if self.fast >= self.slow:
            raise ValueError(f"fast {self.fast} must be below slow {self.slow}")
        return self


@dataclass(frozen=True)
class SmaCross(Instance[SmaCrossParameters]):
    """Signals on the day of a cross only: a target is sized once and does not drift with prices."""

    Parameters: ClassVar[type[Parameters]] = SmaCrossParameters

    @property
    def lookback(self) -> int:
        return self.parameters.slow + 1  # one more day, to see that the averages changed sides

    def on_bars(self, history: History) -> list[Signal]:
        found = (self._cross(history, symbol) for symbol in history.symbols)
        return [signal for signal in found if signal is not None]

    def _cross(self, history: History, symbol: str) -> Signal | None:
        closes = history.closes(symbol, self.lookback)
        if not closes:
            return None
        was_above = self._above(closes[:-1])
        is_above = self._above(closes[1:])
        if was_above == is_above:
            return None
        share = self.capital / len(self.symbols)
        target = whole_shares(share, closes[-1]) if is_above else Decimal(0)
        direction = "above" if is_above else "below"
        p = self.parameters
        return self.signal(history, symbol, target, f"SMA {p.fast} went {direction} SMA {p.slow}")

    def _above(self, closes: tuple[Decimal, ...]) -> bool:
        return mean(closes[-self.parameters.fast :]) > mean(closes)


STRATEGY = SmaCross
