"""Drift for people and machines: object, field, what it is and shall be, who changed it and when."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.model.resource import ResourceKey
from pipelines.model.sync import Action, FieldChange, PlanStep

HIDDEN = "(hidden)"
LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference. `path` is a JSON pointer, empty where the whole object is missing or too much;
    `manager` and `since` (RFC 3339) are empty where live does not say."""

    key: ResourceKey
    action: Action
    path: str = ""
    is_now: Any = None
    shall_be: Any = None
    manager: str = ""
    since: str = ""

    def as_json(self) -> dict[str, Any]:
        found = asdict(self)
        return {**found.pop("key"), "action": str(self.action), **_without(found, "action")}


def drifts(steps: Iterable[PlanStep]) -> tuple[Drift, ...]:
    """Of a plan's steps those that would change something; hooks are no drift."""
    return tuple(drift for step in steps for drift in _of_step(step))


def report(steps: Iterable[PlanStep]) -> str:
    """One line a field."""
    lines = [line(drift) for drift in drifts(steps)]
    return "\n".join(lines) or "no drift: everything is as desired"


def line(drift: Drift) -> str:
    if drift.action is Action.CREATE:
        return f"{drift.key}: is missing"
    if drift.action is Action.PRUNE:
        return f"{drift.key}: is not desired{_by(drift)}"
    words = f"is {_shown(drift.is_now)}, shall be {_shown(drift.shall_be)}"
    return f"{drift.key}: {drift.path}: {words}{_by(drift)}"


def _of_step(step: PlanStep) -> Iterator[Drift]:
    if step.action in (Action.CREATE, Action.PRUNE):
        yield Drift(step.key, step.action)
    elif step.action in (Action.CHANGE, Action.REPLACE):
        for change in step.changes:
            yield _of_field(step, change)


def _of_field(step: PlanStep, change: FieldChange) -> Drift:
    old, new = change.old, change.new
    if step.key.kind == "Secret" and step.key.group == "" and _is_secret(change.path):
        old, new = (None if value is None else HIDDEN for value in (old, new))
    return Drift(step.key, step.action, change.path, old, new, change.manager, change.since)


def _is_secret(path: str) -> bool:
    return path.startswith(("/data", "/stringData")) or "last-applied-configuration" in path


def _by(drift: Drift) -> str:
    if not drift.manager:
        return ""
    return f"; by {drift.manager}" + (f" since {drift.since}" if drift.since else "")


def _shown(value: Any) -> str:
    if value is None:
        return "not there"
    if value == HIDDEN:
        return HIDDEN
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


def _without(found: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != name}
