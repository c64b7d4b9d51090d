"""Cross-sectional momentum: every week hold the symbols that rose most, and only if they rose.

After Jegadeesh and Titman, "Returns to buying winners and selling losers", Journal of Finance
48(1), 1993, long only; the newest days are left out as in their follow-ups (short-term reversal).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field

from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters, whole_shares


class MomentumParameters(Parameters):
    """`formation` and `skip` in days, `hold` in symbols."""

    formation: Annotated[int, Field(ge=2, le=400)] = 60
    skip: Annotated[int, Field(ge=0, le=60)] = 5
    hold: Annotated[int, Field(ge=1, le=100)] = 2


@dataclass(frozen=True)
class Momentum(Instance[MomentumParameters]):
    """A portfolio: the targets of all symbols are decided together on the first day of a week."""

    Parameters: ClassVar[type[Parameters]] = MomentumParameters

    @property
    def lookback(self) -> int:
        return self.parameters.formation + self.parameters.skip + 1

    def on_bars(self, history: History) -> list[Signal]:
        if not self._new_week(history):
            return []
        returns = self._returns(history)
        # Equal returns are ranked by symbol, or two runs could decide differently.
        ranking = sorted(returns, key=lambda symbol: (-returns[symbol], symbol))
        winners = {s for s in ranking[: self.parameters.hold] if returns[s] > 0}
        return [
            self.signal(
                history,
                symbol,
                self._target(history, symbol) if symbol in winners else Decimal(0),
                f"rank {place} of {len(ranking)}, {returns[symbol]:+.1%} "
                f"over {self.parameters.formation} days",
            )
            for place, symbol in enumerate(ranking, start=1)
        ]

    def _new_week(self, history: History) -> bool:
        days = (history.bars(symbol, 2) for symbol in history.symbols)
        before, now = next((pair for pair in days if pair), (None, None))
        if before is None or now is None:
            return False
        return before.timestamp.isocalendar()[:2] != now.timestamp.isocalendar()[:2]

    def _returns(self, history: History) -> dict[str, Decimal]:
        closes = {symbol: history.closes(symbol, self.lookback) for symbol in history.symbols}
        newest = -1 - self.parameters.skip
        return {symbol: c[newest] / c[0] - 1 for symbol, c in closes.items() if c}

    def _target(self, history: History, symbol: str) -> Decimal:
        share = self.capital / self.parameters.hold
        return whole_shares(share, history.closes(symbol, 1)[0])


STRATEGY = Momentum
