"""The packaged sample data: daily bars of five stocks, 2000-03-01 to 2013-03-01, 12,154 bars.

Adjusted while reading, or every split would be a trade: prices of a day are multiplied by
(adjusted close / close) of that day over the same ratio of the last day, volumes divided by it, so
that the last day's prices are the ones that were paid and returns include splits and dividends
(the source's adjusted close; CRSP's total-return convention). Scaling with a later ratio moves the
level of a price, never a return up to a day: it lets nobody see ahead.

Kept as integers of 1/10,000 in flat arrays (0.5 MB); a `Bar` is made when somebody asks for it.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from pathlib import Path

from trading.errors import DatasetDamaged, UnknownSymbol
from trading.market_data.bars import Bar

FILE = Path(__file__).with_name("stocks.csv.gz")
SHA256 = "5abadf99b2d394f920120a27de6f0df129859d71d4cfb0bf661bcc99446ab1fd"
BAR_COUNT = 12_154
_CLOSE_TIME = time(21, tzinfo=UTC)  # 16:00 in New York, in winter; one fixed hour keeps days apart
_TICKS_PER_UNIT = 10_000
_TICK = Decimal(1).scaleb(-4)


@dataclass(frozen=True, slots=True)
class _Series:
    """One symbol: it trades from day `first` to the last day, without a gap."""

    first: int
    opens: array[int]
    highs: array[int]
    lows: array[int]
    closes: array[int]
    volumes: array[int]


@dataclass(frozen=True, slots=True)
class Sample:
    """`days`: the trading days, ascending; from its first one on a symbol trades on each."""

    days: tuple[date, ...]
    series: dict[str, _Series]

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(sorted(self.series))

    def bar(
        self, symbol: str, day: int, at: date | None = None, backwards: bool = False
    ) -> Bar | None:
        """The bar of day number `day`, dated `at`; None before the symbol's first day.

        `backwards` swaps open and close, as in a tape that runs backwards.
        Raises `UnknownSymbol`.
        """
        series = self.series.get(symbol)
        if series is None:
            raise UnknownSymbol(
                f"the sample data has no {symbol!r}, only {', '.join(self.symbols)}", symbol=symbol
            )
        row = day - series.first
        if row < 0:
            return None
        opened, closed = _price(series.opens[row]), _price(series.closes[row])
        return Bar(
            symbol=symbol,
            timestamp=datetime.combine(at or self.days[day], _CLOSE_TIME),
            open=closed if backwards else opened,
            high=_price(series.highs[row]),
            low=_price(series.lows[row]),
            close=opened if backwards else closed,
            volume=series.volumes[row],
        )


@cache
def load() -> Sample:
    """The packaged data, read once. Raises `DatasetDamaged`."""
    try:
        packed = FILE.read_bytes()
    except OSError as error:
        raise DatasetDamaged(f"{FILE.name} cannot be read: {error.strerror}") from error
    return parse(packed)


def parse(packed: bytes) -> Sample:
    """The data in a packed file, which must have the shipped digest. Raises `DatasetDamaged`."""
    digest = hashlib.sha256(packed).hexdigest()
    if digest != SHA256:
        raise DatasetDamaged(
            f"{FILE.name} has sha256 {digest}, shipped was {SHA256}; install again",
            expected=SHA256,
            found=digest,
        )
    rows = list(csv.reader(gzip.decompress(packed).decode("ascii").splitlines()))[1:]
    days = sorted({row[1] for row in rows})
    series = {
        symbol: _series([row for row in rows if row[0] == symbol], days)
        for symbol in sorted({row[0] for row in rows})
    }
    return Sample(tuple(date.fromisoformat(day) for day in days), series)


def _series(rows: list[list[str]], days: list[str]) -> _Series:
    first = len(days) - len(rows)
    if [row[1] for row in rows] != days[first:]:
        raise DatasetDamaged(f"the days of {rows[0][0]} have a gap", symbol=rows[0][0])
    last_ratio = _ratio(rows[-1])
    factors = [_ratio(row) / last_ratio for row in rows]
    return _Series(
        first=first,
        opens=_scaled(rows, 2, factors),
        highs=_scaled(rows, 3, factors),
        lows=_scaled(rows, 4, factors),
        closes=_scaled(rows, 5, factors),
        volumes=array("q", (int(int(row[6]) / f) for row, f in zip(rows, factors, strict=True))),
    )


def _ratio(row: list[str]) -> Decimal:
    return Decimal(row[7]) / Decimal(row[5])


def _scaled(rows: Iterable[list[str]], column: int, factors: list[Decimal]) -> array[int]:
    return array(
        "q",
        (
            int((Decimal(row[column]) * factor * _TICKS_PER_UNIT).to_integral(ROUND_HALF_EVEN))
            for row, factor in zip(rows, factors, strict=True)
        ),
    )


def _price(ticks: int) -> Decimal:
    return ticks * _TICK
