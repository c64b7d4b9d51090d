"""What was set before and is no longer wanted: it must go, though desired does not name it.

Who set what is read from server-side apply's record, or from the annotation of `kubectl apply`. An
`Update` entry says nothing here: it lists defaults as if its manager had set them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.engine.difference import rules
from pipelines.engine.difference.lists import by_key, key_of
from pipelines.engine.difference.normal import as_wanted
from pipelines.engine.difference.owners import (
    Fields,
    below,
    entries,
    is_member,
    key_object,
    names_element,
)
from pipelines.engine.difference.pointer import find, join
from pipelines.engine.difference.shapes import Shape
from pipelines.model.resource import Manifest
from pipelines.model.sync import FieldChange

Steps = tuple[str | int, ...]
# The thing itself, and what generators of manifests write as null and no server keeps.
NEVER_WANTED = frozenset({".", "f:creationTimestamp"})


def no_longer_set(
    live: Manifest, wanted: Mapping[str, Any], there: Mapping[str, Any], shape: Shape
) -> list[FieldChange]:
    """Removals: `wanted` and `there` are what is compared of desired and of `live`."""
    ours: list[Fields] = []
    others: list[Fields] = []
    for entry in entries(live):
        mine = entry.manager in rules.OUR_MANAGERS
        if mine and entry.operation == "Apply" and not entry.subresource:
            ours.append(entry.fields)
        elif not mine and entry.manager not in rules.CLIENT_SIDE:
            others.append(entry.fields)
    found: dict[str, FieldChange] = {}
    for fields in ours:
        if _still_wanted(_without_text(fields), wanted):
            continue
        for steps, old in _unwanted(_without_text(fields), wanted, there, others, ()):
            found.setdefault(join(steps), FieldChange(join(steps), old, None))
    for steps, old in _dropped(_last_applied(live), wanted, there, shape, ()):
        found.setdefault(join(steps), FieldChange(join(steps), old, None))
    return list(found.values())


def _without_text(fields: Fields) -> Fields:
    """What was applied as `stringData` of a secret lives in `data`."""
    text = fields.get("f:stringData")
    if not isinstance(text, dict):
        return fields
    return {**fields, "f:data": {**(fields.get("f:data") or {}), **text}}


def _still_wanted(fields: Fields, want: Any) -> bool:
    """Whether desired still sets all of it, which is usual: told without looking at live."""
    if isinstance(want, dict):
        for step, sub in fields.items():
            if step in NEVER_WANTED:
                continue
            inner = want.get(step[2:])
            if inner is None or (sub and not _still_wanted(sub, inner)):
                return False
        return True
    if not isinstance(want, list):
        return False
    return all(_has_element(step, sub, want) for step, sub in fields.items() if step != ".")


def _has_element(step: str, sub: Any, want: list[Any]) -> bool:
    if step.startswith("v:"):
        return any(is_member(step, value) for value in want)
    index = _index(want, step)
    return index is not None and _still_wanted(sub, want[index])


def _unwanted(
    fields: Fields, want: Any, have: Any, others: list[Fields], path: Steps
) -> Iterator[tuple[Steps, Any]]:
    for step, sub in fields.items():
        if step == "." or not isinstance(sub, dict):
            continue
        place = _place(step, want, have)
        if place is None:
            continue
        name, wanted, there = place
        beside = [found for other in others if (found := below(other, have, str(name))) is not None]
        if wanted is None and (not sub or "." in sub or not _inner(sub)):
            if not beside:
                yield (*path, name), there
                continue
            if not sub:
                continue
        yield from _unwanted(sub, wanted, there, beside, (*path, name))


def _inner(sub: Fields) -> bool:
    return any(step != "." for step in sub)


def _place(step: str, want: Any, have: Any) -> tuple[str | int, Any, Any] | None:
    """(step in live, what is wanted there, what is there); None where live has nothing."""
    if step.startswith("f:"):
        name = step[2:]
        if not isinstance(have, dict) or have.get(name) is None:
            return None
        return name, want.get(name) if isinstance(want, dict) else None, have[name]
    if not isinstance(have, list):
        return None
    wanted = want if isinstance(want, list) else []
    if step.startswith("k:"):
        index = _index(have, step)
        other = _index(wanted, step)
        return None if index is None else (
            index, None if other is None else wanted[other], have[index]
        )  # fmt: skip
    if step.startswith("v:"):
        for index, value in enumerate(have):
            if is_member(step, value):
                return index, value if value in wanted else None, value
    return None


def _index(elements: list[Any], step: str) -> int | None:
    if key_object(step) is None:
        return None
    return next((i for i, item in enumerate(elements) if names_element(step, item)), None)


def _last_applied(live: Manifest) -> Mapping[str, Any]:
    text = find(live, ["metadata", "annotations", rules.LAST_APPLIED])
    try:
        read = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    if not isinstance(read, dict):
        return {}
    return as_wanted(read, live)


def _dropped(
    before: Any, want: Any, have: Any, shape: Shape, path: Steps
) -> Iterator[tuple[Steps, Any]]:
    """Three-way: what the last apply said, desired does not and live still has."""
    if isinstance(before, dict) and isinstance(want, dict) and isinstance(have, dict):
        for name, value in before.items():
            if have.get(name) is None or value is None:
                continue
            if want.get(name) is None:
                yield (*path, name), have[name]
            else:
                inner = (*path, name)
                yield from _dropped(value, want[name], have[name], shape.of(name), inner)
    elif all(isinstance(value, list) for value in (before, want, have)):
        yield from _dropped_elements(before, want, have, shape, path)


def _dropped_elements(
    before: list[Any], want: list[Any], have: list[Any], shape: Shape, path: Steps
) -> Iterator[tuple[Steps, Any]]:
    if shape.members:
        for index, value in enumerate(have):
            if value in before and value not in want:
                yield (*path, index), value
    if not shape.keys:
        return
    wanted, there = by_key(want, shape.keys) or {}, by_key(have, shape.keys) or {}
    for element in before:
        key = key_of(element, shape.keys)
        if key is None or key not in there:
            continue
        index = there[key]
        if key not in wanted:
            yield (*path, index), have[index]
        else:
            pair = want[wanted[key]], have[index]
            yield from _dropped(element, *pair, shape.element, (*path, index))
