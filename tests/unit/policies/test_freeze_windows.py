"""The calendar in the policy is the exchange's, and windows follow it through summer time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.model.errors import BadInput
from policies import rooms

DATA = {**rooms.packaged_data("freeze_windows"), "enabled": True}
CALENDAR: dict[str, Any] = DATA["calendar"]
NEW_YORK = ZoneInfo("America/New_York")
MOURNING = {date(2025, 1, 9)}  # a president's funeral


def easter(year: int) -> date:
    """Anonymous Gregorian computus (Meeus, "Astronomical Algorithms", chapter 8)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


def nth(year: int, month: int, weekday: int, count: int) -> date:
    first = date(year, month, 1)
    return first + timedelta((weekday - first.weekday()) % 7 + 7 * (count - 1))


def observed(day: date) -> date:
    return day + timedelta({5: -1, 6: 1}.get(day.weekday(), 0))


def holidays(year: int) -> set[date]:
    """NYSE rule 7.2: ten holidays; a New Year's Day on a Saturday is not moved."""
    found = {
        nth(year, 1, 0, 3),
        nth(year, 2, 0, 3),
        easter(year) - timedelta(2),
        nth(year, 6, 0, 1) - timedelta(7),
        observed(date(year, 6, 19)),
        observed(date(year, 7, 4)),
        nth(year, 9, 0, 1),
        nth(year, 11, 3, 4),
        observed(date(year, 12, 25)),
    }
    new_year = date(year, 1, 1)
    return found | ({observed(new_year)} if new_year.weekday() != 5 else set())


def early_closes(year: int) -> set[date]:
    days = {
        nth(year, 11, 3, 4) + timedelta(1),
        date(year, 7, 3),
        date(year, 12, 24),
    }
    return {d for d in days if d.weekday() < 5 and d not in holidays(year)}


def frozen(now: datetime, environment: str = "production") -> bool:
    facts = {"environment": environment, "now": now.isoformat()}
    return bool(rooms.judge("freeze_windows", facts, DATA))


@pytest.mark.parametrize("year", range(2024, 2031))
def test_the_days_are_those_of_the_exchange(year: int) -> None:
    theirs = {date.fromisoformat(day) for day in CALENDAR["holidays"]}
    assert {d for d in theirs if d.year == year} - MOURNING == holidays(year)
    short = {date.fromisoformat(day) for day in CALENDAR["early_closes"]}
    assert {d for d in short if d.year == year} == early_closes(year)


@given(st.dates(date(2024, 1, 3), date(2030, 12, 29)), st.integers(0, 24 * 60 - 1))
def test_a_minute_is_frozen_when_a_clock_in_new_york_says_so(day: date, minute: int) -> None:
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=NEW_YORK)
    closed = day.weekday() > 4 or day in holidays(day.year) | MOURNING
    close = 13 * 60 if day in early_closes(day.year) else 16 * 60
    assert frozen(local.astimezone(UTC)) == (not closed and 9 * 60 <= minute < close + 15)


@pytest.mark.parametrize("text", ["2023-12-31", "2031-01-01", "1970-01-01", "2500-06-01"])
def test_nobody_releases_on_a_day_that_the_calendar_does_not_know(text: str) -> None:
    assert frozen(datetime.fromisoformat(f"{text}T03:00:00+00:00"))
    assert not frozen(datetime.fromisoformat(f"{text}T03:00:00+00:00"), "staging")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("zone", "Mars/Olympus", "no time zone"),
        ("zone", "../../etc/passwd", "no time zone"),
        ("opens", "25:00", "no time of a day"),
        ("opens", "17:00", "closes before it opens"),
        ("holidays", ["2031-05-05"], "lies outside"),
        ("holidays", ["someday"], "is no day"),
        ("last", "2026-13-01", "is no day"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(key: str, value: object, words: str) -> None:
    data = {**DATA, "calendar": {**CALENDAR, key: value}}
    with pytest.raises(BadInput, match=words):
        rooms.judge("freeze_windows", {"environment": "dev", "now": "2026-01-05T00:00:00Z"}, data)


@pytest.mark.parametrize("moment", ["noon", "open-30", "open-25h", "close+9999h", "open -30m", ""])
def test_a_moment_that_is_none_is_refused(moment: str) -> None:
    windows = [{"environment": "production", "from": moment, "to": "close"}]
    with pytest.raises(BadInput, match="freeze_windows"):
        rooms.judge(
            "freeze_windows",
            {"environment": "dev", "now": "2026-01-05T00:00:00Z"},
            {**DATA, "windows": windows},
        )


@pytest.mark.parametrize("now", ["yesterday", "2026-01-05T00:00:00", ""])
def test_a_time_without_an_offset_is_refused(now: str) -> None:
    with pytest.raises(BadInput, match="now"):
        rooms.judge("freeze_windows", {"environment": "production", "now": now}, DATA)
