"""A line chart as inline SVG; colours are the page's CSS classes, so both themes fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from trading.examination.report.series import Points, thinned

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 960, 62, 12, 10, 22
_MOST_POINTS = 900


@dataclass(frozen=True, slots=True)
class Line:
    """`style`: a CSS class of the page. `filled`: the area down to 0 as well."""

    name: str
    points: Points
    style: str
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """`shaded_from`: the year from which the background says "out of sample"."""

    title: str
    lines: Sequence[Line]
    shaded_from: float
    height: int = 260
    label: Callable[[float], str] = "{:,.0f}".format
    from_zero: bool = False
    limit: float | None = None
    says_shade: bool = False


def svg(chart: Chart) -> str:
    """The chart, `role="img"` with its title; empty where there is no point."""
    points = [point for line in chart.lines for point in line.points]
    if not points:
        return ""
    frame = _Frame(chart, points)
    body = [frame.shade(), *frame.grid(), *(frame.line(line) for line in chart.lines)]
    if chart.limit is not None:
        body.append(frame.limit(chart.limit))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {chart.height}" role="img" '
        f'aria-label="{escape(chart.title, quote=True)}">{"".join(body)}</svg>'
    )


class _Frame:
    """Where a year and a value lie on the picture."""

    def __init__(self, chart: Chart, points: Points) -> None:
        self._chart = chart
        self._first, self._last = min(x for x, _ in points), max(x for x, _ in points)
        values = [y for _, y in points]
        if chart.limit is not None:
            values.append(chart.limit)
        if chart.from_zero:
            values.append(0.0)
        self.steps = _steps(min(values), max(values))
        self._low, self._high = self.steps[0], self.steps[-1]

    def x(self, year: float) -> float:
        part = (year - self._first) / ((self._last - self._first) or 1)
        return _LEFT + part * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        part = (value - self._low) / ((self._high - self._low) or 1)
        return self._chart.height - _BOTTOM - part * (self._chart.height - _TOP - _BOTTOM)

    def shade(self) -> str:
        left = self.x(max(self._chart.shaded_from, self._first))
        bottom = self._chart.height - _BOTTOM
        width, height = _WIDTH - _RIGHT - left, bottom - _TOP
        size = f'x="{left:.1f}" y="{_TOP}" width="{width:.1f}" height="{height}"'
        title = "<title>out of sample</title>"
        return f'<rect class="shade" {size}>{title}</rect>{self._note(left, bottom)}'

    def _note(self, left: float, bottom: float) -> str:
        """Said once, where there is room."""
        if not self._chart.says_shade:
            return ""
        return f'<text class="note" x="{left + 6:.1f}" y="{bottom - 8}">out of sample</text>'

    def grid(self) -> list[str]:
        found = []
        for value in self.steps:
            y = self.y(value)
            label = escape(self._chart.label(value))
            found.append(
                f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>'
                f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
            )
        for year in range(math.ceil(self._first), math.floor(self._last) + 1):
            x, bottom = self.x(year), self._chart.height - _BOTTOM
            if x < _WIDTH - _RIGHT - 14:
                found.append(
                    f'<path class="grid" d="M{x:.1f} {bottom}v4"/>'
                    f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{year}</text>'
                )
        return found

    def line(self, line: Line) -> str:
        points = [(self.x(a), self.y(b)) for a, b in thinned(line.points, _MOST_POINTS)]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        area = ""
        if line.filled:
            zero = self.y(0)
            area = (
                f'<path class="area {line.style}" d="{path}L{points[-1][0]:.1f} {zero:.1f}'
                f'L{points[0][0]:.1f} {zero:.1f}Z"/>'
            )
        title = f"<title>{escape(line.name)}</title>"
        return f'{area}<path class="line {line.style}" d="{path}">{title}</path>'

    def limit(self, value: float) -> str:
        y = self.y(value)
        return (
            f'<path class="limit" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>'
            f'<text class="limit" x="{_LEFT + 6}" y="{y - 5:.1f}">limit '
            f"{escape(self._chart.label(value))}</text>"
        )


def _steps(low: float, high: float) -> list[float]:
    """Round values around low..high, three to eight of them."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 4))
    size = next(power * m for m in (1, 2, 2.5, 5, 10) if span / (power * m) <= 5)
    first, last = math.floor(low / size + 1e-9), math.ceil(high / size - 1e-9)
    return [n * size for n in range(first, max(last, first + 1) + 1)]
