"""The page's tables as plain rows: figures side by side, months, best and worst trades."""

from __future__ import annotations

from dataclasses import dataclass

from trading.backtest.book import Trade
from trading.backtest.runner import Result
from trading.examination.checks.risk import check_name, shown
from trading.examination.examine import Examination
from trading.examination.measures import monthly_returns

FIGURES = {
    "total_return": "Total return",
    "annual_return": "Return a year",
    "volatility": "Volatility a year",
    "sharpe": "Sharpe ratio",
    "in_sample_sharpe": "Sharpe in sample",
    "out_of_sample_sharpe": "Sharpe out of sample",
    "max_drawdown": "Largest drawdown",
    "value_at_risk_95": "Value at risk, 95 %, a day",
    "expected_shortfall_95": "Expected shortfall, 95 %, a day",
    "max_leverage": "Highest leverage",
    "mean_exposure": "Mean exposure",
    "turnover": "Turnover a year",
    "trades": "Closed trades",
    "win_rate": "Trades won",
    "profit_factor": "Profit factor",
}
_AS_NUMBERS = {"profit_factor"}
_TRADES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure on both sides; texts are ready to print, `-` where there is none."""

    label: str
    head: str
    base: str
    limit: str
    ok: bool


def figure_rows(found: Examination) -> list[FigureRow]:
    head = found.head.figures.values if found.head.figures else {}
    base = found.base.figures.values if found.base and found.base.figures else {}
    failed = {check.name for check in found.checks if not check.ok}
    rows = []
    for name, label in FIGURES.items():
        limit = found.request.limits.limits.get(name)
        ends = [] if limit is None else [
            f"{sign} {shown(name, end)}"
            for sign, end in (("≥", limit.least), ("≤", limit.most))
            if end is not None
        ]  # fmt: skip
        ok = limit is None or check_name(name) not in failed
        rows.append(FigureRow(label, _value(name, head), _value(name, base), " ".join(ends), ok))
    return rows


def _value(name: str, values: dict[str, float | int | None]) -> str:
    value = values.get(name)
    if value is None:
        return "–"
    return f"{value:.2f}" if name in _AS_NUMBERS else shown(name, value)


@dataclass(frozen=True, slots=True)
class YearRow:
    """`months`: twelve returns, None where there was none; `whole`: of the year."""

    year: int
    months: tuple[float | None, ...]
    whole: float


def year_rows(result: Result) -> list[YearRow]:
    months = monthly_returns(result.equity)
    rows = []
    for year in sorted({year for year, _ in months}):
        values = tuple(months.get((year, month)) for month in range(1, 13))
        whole = 1.0
        for value in values:
            whole *= 1 + (value or 0)
        rows.append(YearRow(year, values, whole - 1))
    return rows


def best_and_worst(result: Result) -> tuple[list[Trade], list[Trade]]:
    """The closed trades that won and lost most; fewer where there are few."""
    closed = sorted(
        (trade for trade in result.trades if trade.closed_at),
        key=lambda trade: (trade.profit, trade.opened_at, trade.symbol),
    )
    count = min(_TRADES_SHOWN, len(closed) // 2 or len(closed))
    return closed[::-1][:count], closed[: min(count, len(closed) - count)]
