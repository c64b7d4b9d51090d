"""Are the bars that the strategy used complete and plausible?

Rows, not `Bar`s: a `Bar` that contradicts itself cannot exist, so a check that takes `Bar`s could
never say no to one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

from trading.examination.verdict import Verdict, listed
from trading.market_data import calendar
from trading.market_data.bars import Bar

NAME = "data"
_SPLITS = (2.0, 3.0, 1.5, 4.0, 5.0, 7.0, 10.0)
_SPLIT_TOLERANCE = 0.06
_STALE_DAYS = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One bar as it was read."""

    symbol: str
    timestamp: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int

    @property
    def place(self) -> str:
        return f"{self.symbol} {self.timestamp.date()}"


def rows_of(days: Sequence[Sequence[Bar]]) -> list[Row]:
    return [
        Row(b.symbol, b.timestamp, b.open, b.high, b.low, b.close, b.volume)
        for bars in days
        for b in bars
    ]


def data_check(rows: Sequence[Row], known: Mapping[tuple[str, date], str] | None = None) -> Verdict:
    """`known`: jumps that are documented as real (default: those of the packaged data).

    Notes about known jumps are details of a check that is ok.
    """
    known = calendar.known_jumps() if known is None else known
    by_symbol: dict[str, list[Row]] = {}
    for row in rows:
        by_symbol.setdefault(row.symbol, []).append(row)
    problems: list[str] = []
    notes: list[str] = []
    for symbol in sorted(by_symbol):
        series = by_symbol[symbol]
        problems += _order(series)
        problems += _gaps(series)
        problems += _contradictions(series)
        problems += _stale(series)
        for row, words in _jumps(series):
            why = known.get((symbol, row.timestamp.date()))
            (notes if why else problems).append(f"{words}; {why}" if why else words)
    if not rows:
        return Verdict(NAME, False, "it used no bars", 0)
    words = (
        f"{', '.join(sorted(by_symbol))}: no gap against the exchange's calendar, no duplicate, "
        "no unadjusted split, no stale price, prices in order"
    )
    verdict = listed(NAME, problems, words, len(rows))
    notes = [f"note: {note}" for note in notes]
    return Verdict(NAME, verdict.ok, verdict.message, len(rows), (*verdict.details, *notes))


def _order(series: Sequence[Row]) -> Iterator[str]:
    for before, row in pairwise(series):
        if row.timestamp == before.timestamp:
            yield f"{row.place}: duplicate bar"
        elif row.timestamp < before.timestamp:
            yield f"{row.place}: comes after {before.timestamp.date()}"


def _gaps(series: Sequence[Row]) -> Iterator[str]:
    """From a symbol's first bar on, it needs one on every session, and none on other days."""
    days = [row.timestamp.date() for row in series]
    expected = set(calendar.sessions(min(days), max(days)))
    for day in sorted(expected - set(days)):
        yield f"{series[0].symbol} {day}: no bar on a day the exchange traded"
    for day in sorted(set(days) - expected):
        yield f"{series[0].symbol} {day}: a bar on a day the exchange was closed"


def _contradictions(series: Sequence[Row]) -> Iterator[str]:
    for row in series:
        prices = (row.open, row.high, row.low, row.close)
        if not all(price.is_finite() and price > 0 for price in prices):
            yield f"{row.place}: a price is not above 0"
        elif not row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high:
            yield f"{row.place}: open {row.open} or close {row.close} outside {row.low}..{row.high}"
        elif row.volume <= 0:
            yield f"{row.place}: volume is {row.volume}"


def _jumps(series: Sequence[Row]) -> Iterator[tuple[Row, str]]:
    """Overnight or from close to close: on the day of a split a share may move as well."""
    for before, row in pairwise(series):
        if min(before.close, row.open, row.close) <= 0:
            continue
        moves = (float(row.open / before.close), float(row.close / before.close))
        split = next((s for s in _SPLITS if any(_like(move, s) for move in moves)), None)
        if split:
            words = f"close {moves[1] - 1:+.1%}, like an unadjusted {split:g}:1 split"
            yield row, f"{row.place}: {words}"


def _like(change: float, split: float) -> bool:
    return min(abs(change * split - 1), abs(change / split - 1)) < _SPLIT_TOLERANCE


def _stale(series: Sequence[Row]) -> Iterator[str]:
    run = 1
    for before, row in pairwise(series):
        run = run + 1 if row.close == before.close else 1
        if run == _STALE_DAYS:
            yield f"{row.place}: the same close for {_STALE_DAYS} days, a stale price"
