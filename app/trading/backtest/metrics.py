"""What a series of daily equity says. Plain floats: these are statistics, not money.

| metric | formula | source |
|---|---|---|
| total return | last / first - 1 | |
| annual return | (last / first) ** (252 / days) - 1 | geometric, GIPS |
| volatility | sample deviation of daily returns * sqrt(252) | |
| Sharpe ratio | mean / sample deviation of daily returns * sqrt(252), risk-free rate 0 | Sharpe, |
|   | | "The Sharpe ratio", Journal of Portfolio Management 21(1), 1994 |
| drawdown | largest fall from a peak so far, as a part of that peak | Magdon-Ismail and Atiya, |
|   | | "Maximum drawdown", Risk 17(10), 2004 |
| turnover | lesser of purchases and sales / mean equity, per year | SEC Form N-1A, item 13 |
| profit factor | gains of winning trades / losses of losing ones | |

A ratio whose denominator is zero is None, never infinite and never zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev

from trading.errors import TooFewBars

DAYS_PER_YEAR = 252


@dataclass(frozen=True, slots=True)
class Metrics:
    """Parts as parts of 1 (0.05 is 5 %); `days` is the sample size behind all of them."""

    days: int
    total_return: float
    annual_return: float
    volatility: float
    sharpe: float | None
    max_drawdown: float
    turnover: float
    trades: int
    win_rate: float | None
    profit_factor: float | None


def measure(
    equity: Sequence[float], bought: float, sold: float, profits: Sequence[float]
) -> Metrics:
    """`equity`: money at each close, all above 0. `profits`: of closed trades, after fees.

    Raises `TooFewBars` for fewer than 3 days.
    """
    if len(equity) < 3:
        raise TooFewBars(
            f"{len(equity)} days give no statistics; 3 is the least", days=len(equity), needed=3
        )
    returns = daily_returns(equity)
    years = len(returns) / DAYS_PER_YEAR
    growth = equity[-1] / equity[0]
    gains = math.fsum(profit for profit in profits if profit > 0)
    losses = -math.fsum(profit for profit in profits if profit < 0)
    return Metrics(
        days=len(equity),
        total_return=growth - 1,
        annual_return=growth ** (1 / years) - 1 if growth > 0 else -1.0,
        volatility=stdev(returns) * math.sqrt(DAYS_PER_YEAR),
        sharpe=sharpe(returns),
        max_drawdown=max_drawdown(equity),
        turnover=min(bought, sold) / fmean(equity) / years,
        trades=len(profits),
        win_rate=sum(profit > 0 for profit in profits) / len(profits) if profits else None,
        profit_factor=gains / losses if losses else None,
    )


def daily_returns(equity: Sequence[float]) -> list[float]:
    """Part won or lost from each day to the next; one fewer than days."""
    return [after / before - 1 for before, after in pairwise(equity)]


def sharpe(returns: Sequence[float]) -> float | None:
    """Annualised; None where returns do not vary."""
    deviation = stdev(returns)
    return fmean(returns) / deviation * math.sqrt(DAYS_PER_YEAR) if deviation else None


def max_drawdown(equity: Sequence[float]) -> float:
    """0.25 for a fall to three quarters of the highest value before."""
    peak, worst = equity[0], 0.0
    for value in equity:
        peak = max(peak, value)
        worst = max(worst, 1 - value / peak)
    return worst
