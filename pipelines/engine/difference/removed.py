"""What was set before and is no longer wanted: it must go, though desired does not name it.

Who set what is read from server-side apply's record, or from the annotation of `kubectl apply`. An
`Update` entry says nothing here: it lists defaults as if its manager had set them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.engine.difference import rules
from pipelines.engine.difference.applied import dropped, last_applied
from pipelines.engine.difference.lists import Key, by_key
from pipelines.engine.difference.owners import Fields, Finder, entries, is_member, key_object
from pipelines.engine.difference.pointer import join
from pipelines.engine.difference.shapes import Shape
from pipelines.model.resource import Manifest
from pipelines.model.sync import FieldChange

Path = tuple[str | int, ...]
# The thing itself, and what generators of manifests write as null and no server keeps.
NEVER_WANTED = frozenset({".", "f:creationTimestamp"})
NOTHING: list[Any] = []


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
    search = _Search()
    for fields in map(_without_text, ours):
        if not search.all_wanted(fields, wanted):
            for path, old in search.unwanted(fields, wanted, there, others, ()):
                found.setdefault(join(path), FieldChange(join(path), old, None))
    for path, old in dropped(last_applied(live), wanted, there, shape, ()):
        found.setdefault(join(path), FieldChange(join(path), old, None))
    return list(found.values())


def _without_text(fields: Fields) -> Fields:
    """What was applied as `stringData` of a secret lives in `data`."""
    text = fields.get("f:stringData")
    if not isinstance(text, dict):
        return fields
    data = fields.get("f:data")
    return {**fields, "f:data": {**(data if isinstance(data, dict) else {}), **text}}


class _Search:
    """Walks a set of fields beside desired and live. Remembers where elements of lists are."""

    def __init__(self) -> None:
        self._places: dict[tuple[int, tuple[str, ...]], dict[Key, int]] = {}
        self._finder = Finder()

    def all_wanted(self, fields: Fields, want: Any) -> bool:
        """Whether desired still sets all of it, which is usual: told without looking at live.

        A record that is none (in a file; a server writes no such thing) asks for nothing."""
        if not isinstance(fields, Mapping):
            return True
        if isinstance(want, dict):
            for step, sub in fields.items():
                if step in NEVER_WANTED:
                    continue
                inner = want.get(step[2:])
                if inner is None or (sub and not self.all_wanted(sub, inner)):
                    return False
            return True
        if not isinstance(want, list):
            return False
        return all(self._has(step, sub, want) for step, sub in fields.items() if step != ".")

    def _has(self, step: str, sub: Any, want: list[Any]) -> bool:
        if step.startswith("v:"):
            return any(is_member(step, value) for value in want)
        index = self._index(want, step)
        return index is not None and self.all_wanted(sub, want[index])

    def unwanted(
        self, fields: Fields, want: Any, have: Any, others: list[Fields], path: Path
    ) -> Iterator[tuple[Path, Any]]:
        """Paths and values in live. What somebody else sets too stays: it is theirs then."""
        for step, sub in fields.items():
            place = self._place(step, want, have) if isinstance(sub, dict) else None
            if place is None:
                continue
            name, wanted, there = place
            beside = self._beside(others, have, str(name))
            if wanted is None and not beside and (not sub or "." in sub):
                yield (*path, name), there
            else:
                yield from self.unwanted(sub, wanted, there, beside, (*path, name))

    def _beside(self, others: list[Fields], have: Any, step: str) -> list[Fields]:
        found = (self._finder.below(other, have, step) for other in others)
        return [fields for fields in found if fields is not None]

    def _place(self, step: str, want: Any, have: Any) -> tuple[str | int, Any, Any] | None:
        """(step in live, what is wanted there, what is there); None where live has nothing."""
        if isinstance(have, dict):
            name = step[2:]
            if not step.startswith("f:") or have.get(name) is None:
                return None
            return name, want.get(name) if isinstance(want, dict) else None, have[name]
        if not isinstance(have, list):
            return None
        wanted = want if isinstance(want, list) else NOTHING
        if step.startswith("k:") and (index := self._index(have, step)) is not None:
            other = self._index(wanted, step)
            return index, None if other is None else wanted[other], have[index]
        if step.startswith("v:"):
            for index, value in enumerate(have):
                if is_member(step, value):
                    return index, value if value in wanted else None, value
        return None

    def _index(self, elements: list[Any], step: str) -> int | None:
        named = key_object(step) if step.startswith("k:") else None
        if not named:
            return None
        names = tuple(name for name, _ in named)
        place = (id(elements), names)  # lists live as long as the search
        if place not in self._places:
            self._places[place] = by_key(elements, names) or {}
        return self._places[place].get(tuple(value for _, value in named))
