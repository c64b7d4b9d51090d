"""Mean reversion: buy in steps what fell unusually far below its average, sell on the way back.

Bollinger bands as z-score: (close - mean) / standard deviation over a window (Bollinger, "Bollinger
on Bollinger Bands", 2001); the short-term reversal it bets on: Lehmann, "Fads, martingales, and
market efficiency", Quarterly Journal of Economics 105(1), 1990.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters, mean, whole_shares

Deviations = Annotated[Decimal, Field(ge=0, le=10)]


class MeanReversionParameters(Parameters):
    """`window` in days; buying starts `start` deviations below the mean, is complete at `full`."""

    window: Annotated[int, Field(ge=3, le=400)] = 20
    start: Deviations = Decimal("1.0")
    full: Deviations = Decimal("2.0")
    steps: Annotated[int, Field(ge=1, le=20)] = 2

    @model_validator(mode="after")
    def _start_is_nearer(self) -> MeanReversionParameters:
        if self.start >= self.full:
            raise ValueError(f"start {self.start} must be below full {self.full}")
        return self


@dataclass(frozen=True)
class MeanReversion(Instance[MeanReversionParameters]):
    """Signals when the step changes only, so that it does not trade on every wiggle."""

    Parameters: ClassVar[type[Parameters]] = MeanReversionParameters

    @property
    def lookback(self) -> int:
        return self.parameters.window + 1  # one more day, to see that the step changed

    def on_bars(self, history: History) -> list[Signal]:
        found = (self._change(history, symbol) for symbol in history.symbols)
        return [signal for signal in found if signal is not None]

    def _change(self, history: History, symbol: str) -> Signal | None:
        closes = history.closes(symbol, self.lookback)
        if not closes:
            return None
        score = self._score(closes[1:])
        step = self._step(score)
        if step == self._step(self._score(closes[:-1])):
            return None
        share = self.capital / len(self.symbols) * step / self.parameters.steps
        reason = f"{score:+.2f} deviations from the mean, step {step} of {self.parameters.steps}"
        return self.signal(history, symbol, whole_shares(share, closes[-1]), reason)

    def _score(self, closes: tuple[Decimal, ...]) -> Decimal:
        """How many sample standard deviations the last close lies above the mean."""
        average = mean(closes)
        squares = sum(((close - average) ** 2 for close in closes), Decimal(0))
        deviation = (squares / (len(closes) - 1)).sqrt()
        return (closes[-1] - average) / deviation if deviation else Decimal(0)

    def _step(self, score: Decimal) -> int:
        """0 above the first band, `steps` at the last; linear between them, rounded down."""
        p = self.parameters
        depth = (-score - p.start) / (p.full - p.start)
        if depth < 0:
            return 0
        return 1 + int((min(depth, Decimal(1)) * (p.steps - 1)).to_integral_value(ROUND_DOWN))


STRATEGY = MeanReversion
