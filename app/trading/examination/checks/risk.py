"""The figures of the run against the limits: trades, risk, out of sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from trading.backtest.metrics import daily_returns
from trading.backtest.runner import Result
from trading.examination.limits import Limit, Limits
from trading.examination.measures import (
    Split,
    expected_shortfall,
    exposures,
    split,
    value_at_risk,
)
from trading.examination.verdict import Verdict
from trading.market_data.bars import Bar

TRADES = "trades"
_NAMES = {
    "trades": TRADES,
    "out_of_sample_sharpe": "out of sample",
    "degradation": "degradation out of sample",
}
_AS_NUMBERS = {
    "trades", "max_leverage", "turnover", "sharpe", "in_sample_sharpe", "out_of_sample_sharpe",
    "degradation",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of one run, by name; and its exposure at each close."""

    values: dict[str, float | int | None]
    split: Split
    exposure: list[float]


def figures(result: Result, days: Sequence[Sequence[Bar]], out_ratio: float) -> Figures:
    """`days` are those the result was made from."""
    equity = [float(money) for _, money in result.equity]
    returns = daily_returns(equity)
    exposure = exposures(result, days)
    parts = split(result.equity, out_ratio)
    values: dict[str, float | int | None] = asdict(result.metrics)
    values |= {
        "value_at_risk_95": value_at_risk(returns),
        "expected_shortfall_95": expected_shortfall(returns),
        "max_leverage": max(exposure),
        "mean_exposure": sum(exposure) / len(exposure),
        "fees": float(result.fees),
        "in_sample_sharpe": parts.in_sharpe,
        "out_of_sample_sharpe": parts.out_sharpe,
        "out_of_sample_return": parts.out_return,
        "out_of_sample_max_drawdown": parts.out_max_drawdown,
        "degradation": parts.degradation,
    }
    return Figures({name: _rounded(value) for name, value in values.items()}, parts, exposure)


def check_name(figure: str) -> str:
    """Under which name a limit on a figure is reported."""
    return _NAMES.get(figure, f"risk {figure}")


def risk_checks(found: Figures, limits: Limits) -> list[Verdict]:
    """One verdict for each limit."""
    return [_judged(name, limit, found) for name, limit in limits.limits.items()]


def _judged(name: str, limit: Limit, found: Figures) -> Verdict:
    value = found.values[name]
    samples = _samples(name, found)
    if value is None:
        words = f"{name} cannot be computed: equity does not vary"
        return Verdict(check_name(name), False, words, samples)
    low = limit.least is not None and value < limit.least
    high = limit.most is not None and value > limit.most
    words = f"{shown(name, value)} ({_ends(name, limit)})"
    if low or high:
        words = f"{shown(name, value)} is too {'low' if low else 'high'} ({_ends(name, limit)})"
    if name in ("out_of_sample_sharpe", "degradation"):
        words += f"; out of sample from {found.split.first_day.date()} on"
    return Verdict(check_name(name), not (low or high), words, samples)


def _samples(name: str, found: Figures) -> int:
    if name == "trades":
        return int(found.values["trades"] or 0)
    return found.split.out_days if name in _NAMES else int(found.values["days"] or 0)


def _ends(name: str, limit: Limit) -> str:
    ends = []
    if limit.least is not None:
        ends.append(f"at least {shown(name, limit.least)}")
    if limit.most is not None:
        ends.append(f"at most {shown(name, limit.most)}")
    return ", ".join(ends)


def shown(name: str, value: float) -> str:
    """A figure for people: parts as per cent, ratios with two digits, counts whole."""
    if name == "trades":
        return f"{value:g}"
    if name in _AS_NUMBERS:
        return f"{value:.2f}"
    return f"{value:.2%}" if name.endswith("_95") else f"{value:.1%}"


def _rounded(value: float | int | None) -> float | int | None:
    """Six digits: what differs behind them is not worth a word, and texts stay equal."""
    return round(value, 6) if isinstance(value, float) else value
