"""`ignoreDifferences`: by JSON pointer, and by who owns a field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from pipelines.engine.difference.learned import known_shape
from pipelines.engine.difference.lists import key_of
from pipelines.engine.difference.normal import with_bytes
from pipelines.engine.difference.owners import Fields, Finder, entries, names_element, owns
from pipelines.engine.difference.pointer import MISSING, child, find, is_index, split
from pipelines.engine.difference.shapes import Shape
from pipelines.model.resource import Manifest
from pipelines.model.sync import IgnoreRule


def matching(manifest: Manifest, ignore: Sequence[IgnoreRule]) -> tuple[IgnoreRule, ...]:
    """The rules for this object; `*` in group and kind matches as in Argo CD."""
    if not ignore:
        return ()
    group = str(manifest.get("apiVersion", "")).rpartition("/")[0]
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return tuple(
        rule
        for rule in ignore
        if _fits(rule, group, str(manifest.get("kind", "")))
        and rule.name in ("", metadata.get("name"))
        and rule.namespace in ("", metadata.get("namespace"))
    )


def _fits(rule: IgnoreRule, group: str, kind: str) -> bool:
    """An empty group beside a kind is the core API's."""
    if not rule.kind:
        return not rule.group or fnmatchcase(group, rule.group)
    return fnmatchcase(group, rule.group) and fnmatchcase(kind, rule.kind)


def without_ignored(
    desired: Manifest, live: Manifest, ignore: Sequence[IgnoreRule]
) -> dict[str, Any]:
    """Desired with what is ignored taken from live, to be applied or compared; shares the rest.

    What a pointer names is taken as live has it, and goes where live lacks it: left out, server-side
    apply would take it away. What a manager owns is taken only where desired sets it.
    """
    body: Any = dict(desired)
    shape = known_shape(desired, live)
    rules = matching(desired, ignore)
    if rules and desired.get("kind") == "Secret":
        body = with_bytes(body)
    for rule in rules:
        for pointer in rule.json_pointers:
            if steps := split(pointer):
                body = _take(body, live, steps, shape)
        for entry in entries(live):
            if entry.manager in rule.managed_fields_managers:
                body = _take_owned(body, live, entry.fields)
    assert isinstance(body, dict)
    return body


class Ignored:
    """What rules say of one object's differences. Pointers count in desired, differences in live."""

    def __init__(
        self, desired: Manifest, live: Manifest, rules: Sequence[IgnoreRule], shape: Shape
    ) -> None:
        pointers = (split(pointer) for rule in rules for pointer in rule.json_pointers)
        translated = (_in_live(steps, desired, live, shape) for steps in pointers if steps)
        self._pointers = [steps for steps in translated if steps is not None]
        managers = {manager for rule in rules for manager in rule.managed_fields_managers}
        self._owned = [entry.fields for entry in entries(live) if entry.manager in managers]
        self._live = live

    def covers(self, path: str) -> bool:
        """Whether a path of live is under an ignored pointer, or owned by an ignored manager."""
        steps = split(path)
        if any(steps[: len(ignored)] == ignored for ignored in self._pointers):
            return True
        return any(owns(fields, self._live, steps, Finder()) for fields in self._owned)


def _in_live(steps: list[str], want: Any, have: Any, shape: Shape) -> list[str] | None:
    """The pointer with the indices of live; None where live has nothing that is meant."""
    found: list[str] = []
    for depth, step in enumerate(steps):
        if isinstance(have, list):
            last = depth == len(steps) - 1
            place = _place(want, have, step, shape, last=last)
            if place is None:
                return None
            found.append(str(place))
            want, have, shape = child(want, step), have[place], shape.element
        else:
            found.append(step)
            want, have, shape = child(want, step), child(have, step), shape.of(step)
    return found


def _place(want: Any, have: list[Any], step: str, shape: Shape, *, last: bool) -> int | None:
    """Where live has what desired has at an index, or what follows after all that desired has."""
    if not is_index(step) or not isinstance(want, list):
        return None
    index = int(step)
    if index < len(want):
        return _counterpart(want[index], have, index, shape)
    follows = last and not shape.keys and index == len(want) < len(have)
    return index if follows else None


def _take(want: Any, have: Any, steps: list[str], shape: Shape) -> Any:
    """`want` with the value at the path taken from `have`; MISSING takes it away."""
    if not steps:
        return have
    step, rest = steps[0], steps[1:]
    if isinstance(want, dict):
        there = child(have, step) if isinstance(have, dict) else MISSING
        inner = want.get(step, MISSING)
        if inner is MISSING:
            if there is MISSING or find(there, rest) is MISSING:
                return want
            return _take_where_nothing_is(want, there, steps, shape)
        return _with(want, step, _take(inner, there, rest, shape.of(step)))
    if isinstance(want, list) and is_index(step):
        return _take_element(want, have, int(step), rest, shape)
    return want


def _take_where_nothing_is(
    want: dict[str, Any], there: Any, steps: list[str], shape: Shape
) -> dict[str, Any]:
    """Below a field that desired lacks. An index that counts in a list which is not there names
    nothing: to take one element would be to own the list, and to lose the others."""
    step, rest = steps[0], steps[1:]
    if rest and isinstance(there, list):
        return want
    taken = _take({}, there, rest, shape.of(step))
    return want if rest and taken == {} else _with(want, step, taken)


def _take_element(want: list[Any], have: Any, index: int, rest: list[str], shape: Shape) -> Any:
    """An index counts in desired, where people wrote it; its counterpart has the same key."""
    there = have if isinstance(have, list) else []
    place = _place(want, there, str(index), shape, last=not rest)
    if index >= len(want):
        return want if place is None else [*want, there[place]]
    counterpart = MISSING if place is None else there[place]
    taken = _take(want[index], counterpart, rest, shape.element)
    return want[:index] + ([] if taken is MISSING else [taken]) + want[index + 1 :]


def _counterpart(element: Any, there: list[Any], index: int, shape: Shape) -> int | None:
    if shape.keys and (key := key_of(element, shape.keys)) is not None:
        places = (place for place, item in enumerate(there) if key_of(item, shape.keys) == key)
        return next(places, None)
    return index if index < len(there) else None


def _with(want: Mapping[str, Any], step: str, value: Any) -> dict[str, Any]:
    if value is MISSING:
        return {name: kept for name, kept in want.items() if name != step}
    return {**want, step: value}


def _take_owned(want: Any, have: Any, fields: Fields) -> Any:
    for step, sub in fields.items():
        if step.startswith("f:") and isinstance(want, dict):
            name = step[2:]
            if name in want:
                want = _with(want, name, _owned(want[name], child(have, name), sub))
        elif step.startswith("k:") and isinstance(want, list) and isinstance(have, list):
            there = next((item for item in have if names_element(step, item)), MISSING)
            want = [
                _owned(item, there, sub) if names_element(step, item) else item for item in want
            ]
    return want


def _owned(want: Any, have: Any, sub: Any) -> Any:
    """A set with nothing below is the whole value; `.` beside more is only the thing's existence."""
    if not isinstance(sub, dict) or not set(sub) - {"."}:
        return have
    return want if have is MISSING else _take_owned(want, have, sub)
