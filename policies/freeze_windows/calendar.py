"""Hours of a market as data: weekdays without holidays, with early closes, in its own time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields

_MOMENT = re.compile(r"(open|close)(?:([+-])([0-9]{1,4})([mh]))?", re.ASCII)
_LONGEST = timedelta(hours=24)
_FRIDAY = 4


@dataclass(frozen=True, slots=True)
class Session:
    """Both UTC."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """`open` or `close` of a session, moved by an offset."""

    edge: str
    offset: timedelta

    def of(self, session: Session) -> datetime:
        return (session.opens if self.edge == "open" else session.closes) + self.offset

    def __str__(self) -> str:
        minutes = int(self.offset.total_seconds() // 60)
        return self.edge + (f"{minutes:+d}m" if minutes else "")


@dataclass(frozen=True, slots=True)
class Window:
    """No promotion into `environment` from `start` (included) to `end` (not included)."""

    environment: str
    start: Moment
    end: Moment


@dataclass(frozen=True, slots=True)
class Calendar:
    """`first` and `last` are the days that the holidays below are complete for."""

    name: str
    zone: ZoneInfo
    opens: time
    closes: time
    first: date
    last: date
    holidays: frozenset[date]
    early_closes: dict[date, time]

    def session(self, day: date) -> Session | None:
        """None when the market is closed the whole day. The zone knows about summer time."""
        if day.weekday() > _FRIDAY or day in self.holidays:
            return None
        closes = self.early_closes.get(day, self.closes)
        return Session(self._utc(day, self.opens), self._utc(day, closes))

    def _utc(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=self.zone).astimezone(UTC)


def read_moment(fields: Fields, key: str) -> Moment:
    text = fields.text(key)
    found = _MOMENT.fullmatch(text)
    offset = timedelta()
    if found and found[3]:
        size = int(found[3]) * (-1 if found[2] == "-" else 1)
        offset = timedelta(minutes=size) if found[4] == "m" else timedelta(hours=size)
    if not found or abs(offset) > _LONGEST:
        raise BadInput(
            f"{fields.file}: {fields.path}.{key}: {text!r:.60} is no moment of a session",
            hint="open or close with an offset of at most 24 hours: open-30m, close+1h",
        )
    return Moment(found[1], offset)


def read_calendar(top: Fields, key: str) -> Calendar:
    """Raises BadInput for days outside of `first` and `last`, which would look covered."""
    names = ("name", "zone", "opens", "closes", "first", "last", "holidays", "early_closes")
    fields = top.sub(key, names)
    early = fields.sub("early_closes", fields.mapping("early_closes"))
    days = fields.mapping("early_closes")
    calendar = Calendar(
        name=fields.text("name"),
        zone=_zone(fields),
        opens=_time(fields, "opens"),
        closes=_time(fields, "closes"),
        first=_date(fields, "first", fields.text("first")),
        last=_date(fields, "last", fields.text("last")),
        holidays=frozenset(_date(fields, "holidays", text) for text in fields.texts("holidays")),
        early_closes={_date(early, day, day): _time(early, day) for day in days},
    )
    for day in (*calendar.holidays, *calendar.early_closes):
        if not calendar.first <= day <= calendar.last:
            raise BadInput(
                f"{fields.file}: {key}: {day} lies outside of first {calendar.first} and last"
                f" {calendar.last}",
                hint="move `first` and `last` when every day between them is known",
            )
    if calendar.opens >= calendar.closes:
        raise BadInput(f"{fields.file}: {key}: closes before it opens", hint="opens: '09:30'")
    return calendar


def _zone(fields: Fields) -> ZoneInfo:
    name = fields.text("zone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(
            f"{fields.file}: {fields.path}.zone: {name!r:.60} is no time zone of this machine",
            hint="a name such as America/New_York; is the package tzdata installed?",
        ) from None


def _time(fields: Fields, key: str) -> time:
    text = fields.text(key)
    if not re.fullmatch(r"[0-2][0-9]:[0-5][0-9]", text, re.ASCII) or text > "23:59":
        raise BadInput(
            f"{fields.file}: {fields.path}.{key}: {text!r:.60} is no time of a day",
            hint="write hours and minutes in quotes: '09:30'",
        )
    return time.fromisoformat(text)


def _date(fields: Fields, key: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(
            f"{fields.file}: {fields.path}.{key}: {text!r:.60} is no day", hint="write 2026-07-03"
        ) from None
