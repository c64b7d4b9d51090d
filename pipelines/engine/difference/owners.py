"""Who owns a field of a live object, read from `metadata.managedFields`.

The format is `FieldsV1` of structured-merge-diff: `f:<field>`, `k:<key object>` for an element of a
list by key, `v:<value>` for a member of a set, `i:<index>`, and `.` for the thing itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipelines.engine.difference.lists import Key, key_of
from pipelines.engine.difference.pointer import child, split
from pipelines.model.resource import Manifest

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one manager owns through one operation; `fields` is the set as it is written."""

    manager: str
    operation: str
    subresource: str
    time: str
    fields: Fields


def entries(live: Manifest) -> Iterator[Entry]:
    """What is recorded, subresources too: an autoscaler writes replicas through `scale`."""
    metadata = live.get("metadata")
    managed = metadata.get("managedFields") if isinstance(metadata, dict) else None
    for entry in managed if isinstance(managed, list) else ():
        fields = entry.get("fieldsV1") if isinstance(entry, dict) else None
        if isinstance(fields, dict):
            yield Entry(
                str(entry.get("manager") or ""),
                str(entry.get("operation") or ""),
                str(entry.get("subresource") or ""),
                str(entry.get("time") or ""),
                fields,
            )


@lru_cache(maxsize=4096)
def key_object(step: str) -> tuple[tuple[str, Any], ...] | None:
    """The fields and values of a `k:` step; None where it is no JSON object."""
    try:
        read = json.loads(step[2:])
    except (ValueError, RecursionError):
        return None
    return tuple(read.items()) if isinstance(read, dict) else None


def names_element(step: str, element: Any) -> bool:
    """Whether a `k:` step names this element."""
    wanted = key_object(step)
    if not wanted:
        return False
    return key_of(element, [name for name, _ in wanted]) == tuple(value for _, value in wanted)


def is_member(step: str, value: Any) -> bool:
    """Whether a `v:` step names this value."""
    try:
        return bool(json.loads(step[2:]) == value)
    except (ValueError, RecursionError):
        return False


class Finder:
    """Finds the part of a set that belongs to one step down an object; remembers long lists."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Fields, dict[tuple[str, ...], dict[Key, Any]]]] = {}

    def below(self, fields: Fields, parent: Any, step: str) -> Fields | None:
        """The set one step further down, or None where the manager owns nothing there."""
        if isinstance(parent, dict):
            return _mapping(fields.get(f"f:{step}"))
        element = child(parent, step)
        for names, elements in self._elements(fields).items():
            key = key_of(element, names)
            if key is not None and key in elements:
                return _mapping(elements[key])
        if not isinstance(element, (dict, list)):
            for key_step, sub in fields.items():
                if key_step.startswith("v:") and is_member(key_step, element):
                    return _mapping(sub)
        return _mapping(fields.get(f"i:{step}"))

    def _elements(self, fields: Fields) -> dict[tuple[str, ...], dict[Key, Any]]:
        """Names of key fields → values → set. The set itself is kept, so that its id stays its."""
        if id(fields) not in self._seen:
            found: dict[tuple[str, ...], dict[Key, Any]] = {}
            for step, sub in fields.items():
                if step.startswith("k:") and (named := key_object(step)):
                    names = tuple(name for name, _ in named)
                    found.setdefault(names, {})[tuple(value for _, value in named)] = sub
            self._seen[id(fields)] = (fields, found)
        return self._seen[id(fields)][1]


def _mapping(value: Any) -> Fields | None:
    return value if isinstance(value, dict) else None


def owns(fields: Fields, live: Manifest, steps: list[str], finder: Finder) -> int:
    """How much of the path the set names: 0 nothing of it, else more is nearer.

    A set that ends above the path owns all below (an atomic field); one that goes on below it owns
    a part, which is more than nothing.
    """
    value: Any = live
    for depth, step in enumerate(steps):
        found = finder.below(fields, value, step)
        if found is None:
            return depth if depth and not set(fields) - {"."} else 0
        fields, value = found, child(value, step)
    return len(steps) + 1


class Owners:
    """Looks up owners of one live object; reads nothing until it is asked."""

    def __init__(self, live: Manifest) -> None:
        self._live = live
        self._entries: list[Entry] | None = None
        self._finder = Finder()

    def of(self, pointer: str) -> tuple[str, str]:
        """(manager, time) of who wrote the field last; empty where nobody is named."""
        if self._entries is None:
            self._entries = list(entries(self._live))
        steps = split(pointer)
        ranked = [
            (depth, entry.time, entry.manager)
            for entry in self._entries
            if (depth := owns(entry.fields, self._live, steps, self._finder))
        ]
        if not ranked:
            return "", ""
        _, time, manager = max(ranked)
        return manager, time
