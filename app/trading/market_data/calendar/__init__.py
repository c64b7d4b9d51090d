"""The sessions of the New York Stock Exchange: which days it traded.

Regular holidays follow NYSE Rule 7.2 and are computed; days it closed for another reason cannot be
computed and stand in `closings.yaml`. Right for 1998 (the first Martin Luther King Day) and later.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from trading.errors import InvalidSettings
from trading.yaml_file import read_yaml

FOLDER = Path(__file__).parent
_SATURDAY = 5
_MONDAY, _THURSDAY = 0, 3
_FIRST_JUNETEENTH = 2022


def sessions(first: date, last: date) -> list[date]:
    """Every trading day from `first` to `last`, both included."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if is_session(day)]


def is_session(day: date) -> bool:
    """Whether the exchange opened that day."""
    return day.weekday() < _SATURDAY and day not in holidays(day.year) and day not in closings()


@cache
def closings() -> dict[date, str]:
    """Days without trading that are no regular holidays, with the reason."""
    return _days("closings.yaml")


@cache
def known_jumps() -> dict[tuple[str, date], str]:
    """Price moves of the packaged data that look like a split and were none: (symbol, day)."""
    document = read_yaml(FOLDER / "known_jumps.yaml")
    if not isinstance(document, list):
        raise InvalidSettings("known_jumps.yaml is not a list")
    return {(row["symbol"], row["day"]): str(row["why"]) for row in document}


@cache
def holidays(year: int) -> frozenset[date]:
    """The regular holidays, on the day they are kept: Sunday's on Monday, Saturday's on Friday."""
    moving = (
        _nth(year, 1, _MONDAY, 3),  # Martin Luther King Day
        _nth(year, 2, _MONDAY, 3),  # Washington's Birthday
        _easter(year) - timedelta(days=2),  # Good Friday
        _last_monday_of_may(year),  # Memorial Day
        _nth(year, 9, _MONDAY, 1),  # Labor Day
        _nth(year, 11, _THURSDAY, 4),  # Thanksgiving
    )
    return frozenset((*moving, *_fixed(year)))


def _fixed(year: int) -> Iterator[date]:
    new_year = date(year, 1, 1)
    if new_year.weekday() != _SATURDAY:  # a Friday before would end the year: not kept
        yield _kept(new_year)
    yield _kept(date(year, 7, 4))
    yield _kept(date(year, 12, 25))
    if year >= _FIRST_JUNETEENTH:
        yield _kept(date(year, 6, 19))


def _kept(day: date) -> date:
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())


def _easter(year: int) -> date:
    """Easter Sunday: the anonymous Gregorian algorithm (Nature 13, 1876; Meeus, "Astronomical
    Algorithms", 1991, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def _days(name: str) -> dict[date, str]:
    document = read_yaml(FOLDER / name)
    if not isinstance(document, dict) or not all(isinstance(day, date) for day in document):
        raise InvalidSettings(f"{name} is not a mapping of days to reasons")
    return {day: str(why) for day, why in document.items()}
