"""The page: one self-contained file, nothing is loaded from anywhere, no script."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from trading.examination.document import differing_days
from trading.examination.examine import Examination, Side
from trading.examination.report.chart import Chart, Line, svg
from trading.examination.report.series import drawdown, equity, exposure, year_of
from trading.examination.report.tables import best_and_worst, figure_rows, year_rows

_TILES = (
    "Return a year", "Sharpe ratio", "Sharpe out of sample", "Largest drawdown",
    "Volatility a year", "Closed trades",
)  # fmt: skip


def page(found: Examination) -> str:
    """HTML; everything that comes from the strategy is escaped by the template engine."""
    environment = Environment(
        loader=PackageLoader("trading.examination.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(**_context(found))


def _context(found: Examination) -> dict[str, Any]:
    rows = figure_rows(found)
    result = found.head.result
    best, worst = best_and_worst(result) if result else ([], [])
    return {
        "found": found,
        "failed": [check for check in found.checks if not check.ok],
        "strategy": found.request.wanted,
        "run": found.head.run,
        "rows": rows,
        "tiles": [row for label in _TILES for row in rows if row.label == label],
        "charts": _charts(found),
        "years": year_rows(result) if result else [],
        "best": best,
        "worst": worst,
        "compared": found.base is not None and found.base.figures is not None,
        "differing": differing_days(found),
        "shade": _shade,
    }


def _charts(found: Examination) -> list[tuple[str, str]]:
    figures, result = found.head.figures, found.head.result
    if figures is None or result is None:
        return []
    shaded = year_of(figures.split.first_day)
    base = _base_equity(found.base)
    drawdown_limit = found.request.limits.limits.get("max_drawdown")
    limit = None if drawdown_limit is None or drawdown_limit.most is None else -drawdown_limit.most
    charts = (
        Chart(
            "Equity", [*base, Line("head", equity(result), "head")], shaded, 300, says_shade=True
        ),
        Chart(
            "Drawdown", [Line("drawdown", drawdown(result), "loss", True)], shaded, 170,
            "{:.0%}".format, True, limit,
        ),
        Chart(
            "Exposure, as a part of equity",
            [Line("exposure", exposure(result, figures.exposure), "quiet", True)],
            shaded, 150, "{:.0%}".format, True,
        ),
    )  # fmt: skip
    return [(chart.title, svg(chart)) for chart in charts]


def _base_equity(base: Side | None) -> list[Line]:
    return (
        [] if base is None or base.result is None else [Line("base", equity(base.result), "base")]
    )


def _shade(value: float | None) -> str:
    """Background of a month: stronger the more was won or lost, strongest from 10 % on."""
    if not value:
        return ""
    strength = min(abs(value) / 0.10, 1.0)
    colour = "gain" if value > 0 else "loss"
    return f"background:color-mix(in srgb, var(--{colour}) {8 + 47 * strength:.0f}%, transparent)"
