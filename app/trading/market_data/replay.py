"""The packaged days one after the other, without end, as if they happened now.

Lap 0 is the data as it is. Every later lap has the same days shifted by a multiple of 7 days, so
that a Friday stays a Friday and timestamps only grow. Every second lap runs the tape backwards
(last day first, open and close swapped): a lap then starts at the prices where the lap before it
ended. A plain loop would let every position fall from the prices of 2013 to those of 2000 in one
night, a move no market ever made; daily loss limits would rightly stop trading at every seam.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from trading.errors import InvalidInput, ReplayExhausted
from trading.market_data import sample
from trading.market_data.bars import Bar

_LAST_YEAR = 9990  # Python's dates end with the year 9999


class Replay:
    """Days by their number, 0 and up; a symbol without a bar on a day is suspended that day."""

    def __init__(self, symbols: Sequence[str] | None = None) -> None:
        """`symbols`: the ones to replay, all by default. Raises `UnknownSymbol`."""
        self._sample = sample.load()
        self.symbols = tuple(sorted(symbols or self._sample.symbols))
        last = self.days_per_lap - 1
        for symbol in self.symbols:
            self._sample.bar(symbol, last)
        span = self._sample.days[-1] - self._sample.days[0]
        # The next multiple of 7 days after the span: the first day follows the last by a few days.
        self._lap_length = timedelta(days=(span.days // 7 + 1) * 7)

    @property
    def days_per_lap(self) -> int:
        return len(self._sample.days)

    def day(self, index: int) -> tuple[Bar, ...]:
        """The bars of day `index` in the order of their symbols; raises `ReplayExhausted`."""
        lap, place, at = self._locate(index)
        backwards = lap % 2 == 1
        source = self.days_per_lap - 1 - place if backwards else place
        found = (self._sample.bar(symbol, source, at, backwards) for symbol in self.symbols)
        return tuple(bar for bar in found if bar is not None)

    def days(self, first: int, count: int) -> Iterator[tuple[Bar, ...]]:
        """`count` days from day `first` on."""
        return (self.day(index) for index in range(first, first + count))

    def timestamp(self, index: int) -> datetime:
        """When the bars of day `index` close."""
        return datetime.combine(self._locate(index)[2], time(21, tzinfo=UTC))

    def longest(self, count: int) -> timedelta:
        """From the first to the last of `count` days in a row, where holidays make it longest."""
        starts = range(self.days_per_lap)  # every lap repeats the distances of this one
        return max(self.timestamp(first + count - 1) - self.timestamp(first) for first in starts)

    def _locate(self, index: int) -> tuple[int, int, date]:
        if index < 0:
            raise InvalidInput(f"replay day {index} is negative; days count from 0", index=index)
        lap, place = divmod(index, self.days_per_lap)
        day = self._sample.days[place]
        if day.year + lap * self._lap_length.days / 365 > _LAST_YEAR:
            raise ReplayExhausted(
                f"replay day {index} lies after the year {_LAST_YEAR}; reset the replay state",
                index=index,
            )
        return lap, place, day + lap * self._lap_length
