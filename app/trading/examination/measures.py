"""Risk figures beyond those of `trading.backtest.metrics`. Plain floats, parts of 1.

| figure | formula | source |
|---|---|---|
| value at risk 95 % | the k-th largest daily loss, k = ceil(5 % of days), not below 0: | Jorion, |
|   | historical simulation | "Value at Risk", 3rd edition, 2006, chapter 10 |
| expected shortfall 95 % | mean of the k largest daily losses, not below 0 | Acerbi and |
|   | Tasche, "On the coherence of expected shortfall", Journal of Banking & Finance 26(7), 2002 | |
| leverage | sum of absolute position values / equity, at each close | |
| degradation | Sharpe ratio in the sample - Sharpe ratio out of it | after Bailey et al., "The |
|   | probability of backtest overfitting", Journal of Computational Finance 20(4), 2017 | |
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import fmean

from trading.backtest.metrics import daily_returns, max_drawdown, sharpe
from trading.backtest.runner import Result
from trading.market_data.bars import Bar

_TAIL = 0.05


@dataclass(frozen=True, slots=True)
class Split:
    """The last part of the days, which nobody should have tuned on, against the rest.

    `first_day` is the first out-of-sample day. Sharpe ratios are None where nothing varied.
    """

    first_day: datetime
    in_days: int
    out_days: int
    in_sharpe: float | None
    out_sharpe: float | None
    out_return: float
    out_max_drawdown: float

    @property
    def degradation(self) -> float | None:
        if self.in_sharpe is None or self.out_sharpe is None:
            return None
        return self.in_sharpe - self.out_sharpe


def value_at_risk(returns: Sequence[float]) -> float:
    """What a day loses or more on 5 % of days; `returns` is not empty."""
    return max(0.0, -_worst(returns)[-1])


def expected_shortfall(returns: Sequence[float]) -> float:
    """What the worst 5 % of days lose on average; never below the value at risk."""
    return max(0.0, -fmean(_worst(returns)))


def _worst(returns: Sequence[float]) -> list[float]:
    return sorted(returns)[: math.ceil(_TAIL * len(returns))]


def exposures(result: Result, days: Sequence[Sequence[Bar]]) -> list[float]:
    """Gross leverage at each close: |shares| * close over all symbols / equity."""
    fills: dict[datetime, list[tuple[str, Decimal]]] = {}
    for _, fill in result.fills:
        sign = 1 if fill.side == "buy" else -1
        fills.setdefault(fill.bar_timestamp, []).append((fill.symbol, sign * fill.quantity))
    shares: dict[str, Decimal] = {}
    prices: dict[str, Decimal] = {}
    found = []
    for bars, (at, equity) in zip(days, result.equity, strict=True):
        prices.update((bar.symbol, bar.close) for bar in bars)
        for symbol, change in fills.get(at, ()):
            shares[symbol] = shares.get(symbol, Decimal(0)) + change
        found.append(float(_gross(shares, prices) / equity))
    return found


def _gross(shares: Mapping[str, Decimal], prices: Mapping[str, Decimal]) -> Decimal:
    return sum((abs(held) * prices[symbol] for symbol, held in shares.items()), Decimal(0))


def split(equity: Sequence[tuple[datetime, Decimal]], out_ratio: float) -> Split:
    """Cut a run in two, the last `out_ratio` of its days out of the sample; each part needs 3."""
    cut = min(max(len(equity) - round(len(equity) * out_ratio), 3), len(equity) - 3)
    money = [float(value) for _, value in equity]
    inside, outside = money[:cut], money[cut - 1 :]  # the first return out of sample needs a start
    return Split(
        first_day=equity[cut][0],
        in_days=cut,
        out_days=len(equity) - cut,
        in_sharpe=sharpe(daily_returns(inside)),
        out_sharpe=sharpe(daily_returns(outside)),
        out_return=outside[-1] / outside[0] - 1,
        out_max_drawdown=max_drawdown(outside),
    )


def monthly_returns(equity: Iterable[tuple[datetime, Decimal]]) -> dict[tuple[int, int], float]:
    """(year, month): last equity of the month over the last one before it, minus 1."""
    ends: dict[tuple[int, int], float] = {}
    start = 0.0
    for at, money in equity:
        start = start or float(money)
        ends[(at.year, at.month)] = float(money)
    found = {}
    for month, end in ends.items():
        found[month] = end / start - 1
        start = end
    return found
