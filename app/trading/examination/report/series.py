"""What the charts show: lists of (year as a number, value)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from trading.backtest.runner import Result

Points = list[tuple[float, float]]


def year_of(at: datetime) -> float:
    """2001.5 for the middle of 2001."""
    start = datetime(at.year, 1, 1, tzinfo=at.tzinfo)
    length = datetime(at.year + 1, 1, 1, tzinfo=at.tzinfo) - start
    return at.year + (at - start) / length


def equity(result: Result) -> Points:
    return [(year_of(at), float(money)) for at, money in result.equity]


def drawdown(result: Result) -> Points:
    """Part lost since the highest value so far, at or below 0."""
    peak, found = 0.0, []
    for at, money in result.equity:
        peak = max(peak, float(money))
        found.append((year_of(at), float(money) / peak - 1))
    return found


def exposure(result: Result, values: Sequence[float]) -> Points:
    days = (at for at, _ in result.equity)
    return [(year_of(at), value) for at, value in zip(days, values, strict=True)]


def thinned(points: Points, most: int) -> Points:
    """At most about `most` points: of each stretch its lowest and its highest, in their order, so
    that no fall disappears."""
    if len(points) <= most:
        return points
    step = -(-2 * len(points) // most)
    kept: Points = []
    for start in range(0, len(points), step):
        part = points[start : start + step]
        ends = {min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])}
        kept += sorted(ends)
    return [*kept, points[-1]] if kept[-1] != points[-1] else kept


def quarters(points: Points) -> list[float]:
    """The last value of each quarter of a year."""
    ends: dict[int, float] = {}
    for year, value in points:
        ends[int(year * 4)] = value
    return list(ends.values())
