"""Whether now is a time to release, by the market's calendar. A rollback is never asked.

Facts: `environment`; `now` (ISO 8601 with offset).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipelines.model.check import Finding
from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields
from policies.freeze_windows.calendar import Calendar, Moment, Window, read_calendar, read_moment
from policies.moments import moment

RULE = "freeze_windows"
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """`now` is UTC."""

    environment: str
    now: datetime

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Facts:
        fields = Fields(f"facts of {RULE}", mapping, ("environment", "now"))
        now = moment(fields.text("now"), f"facts of {RULE}: now")
        return cls(fields.text("environment"), now)


@dataclass(frozen=True, slots=True)
class Data:
    enabled: bool
    calendar: Calendar
    windows: tuple[Window, ...]

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], file: str) -> Data:
        fields = Fields(file, mapping, ("enabled", "calendar", "windows"))
        return cls(
            enabled=fields.boolean("enabled"),
            calendar=read_calendar(fields, "calendar"),
            windows=tuple(
                _window(file, item, f"windows[{position}]")
                for position, item in enumerate(fields.items("windows"))
            ),
        )


def _window(file: str, item: Any, where: str) -> Window:
    fields = Fields(file, item, ("environment", "from", "to"), where)
    window = Window(
        environment=fields.text("environment"),
        start=read_moment(fields, "from"),
        end=read_moment(fields, "to"),
    )
    if window.start.edge == window.end.edge and window.start.offset >= window.end.offset:
        raise BadInput(
            f"{file}: {where}: ends before it begins", hint="from: open-30m, to: close+15m"
        )
    return window


def judge(facts: Facts, data: Data) -> list[Finding]:
    windows = [w for w in data.windows if data.enabled and w.environment == facts.environment]
    if not windows:
        return []
    calendar = data.calendar
    today = facts.now.astimezone(calendar.zone).date()
    if not calendar.first <= today - _ONE_DAY or not today + _ONE_DAY <= calendar.last:
        return [
            Finding(
                RULE,
                f"{facts.environment}: the calendar {calendar.name} does not know {today}"
                f" (it goes from {calendar.first} to {calendar.last}), so nobody may release",
                hint=f"add holidays and early closes to policies/{RULE}/policy.yaml",
            )
        ]
    for window in windows:
        for day in (today - _ONE_DAY, today, today + _ONE_DAY):
            session = calendar.session(day)
            if session is None:
                continue
            start, end = window.start.of(session), window.end.of(session)
            if start <= facts.now < end:
                return [_frozen(facts, window, end)]
    return []


def _frozen(facts: Facts, window: Window, end: datetime) -> Finding:
    left = int((end - facts.now).total_seconds() // 60) + 1
    return Finding(
        RULE,
        f"{facts.environment} is frozen from {window.start} to {window.end} of the market's hours,"
        f" until {end.isoformat(timespec='minutes')}",
        hint=f"again in {left} minutes; a rollback is allowed at any time",
    )


__all__ = ["Data", "Facts", "Moment", "judge"]
