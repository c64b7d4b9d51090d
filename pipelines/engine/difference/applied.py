"""What the last `kubectl apply` said and desired no longer does, by three-way comparison."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.engine.difference import rules
from pipelines.engine.difference.lists import by_key, key_of
from pipelines.engine.difference.normal import as_wanted
from pipelines.engine.difference.pointer import find
from pipelines.engine.difference.shapes import Shape
from pipelines.model.resource import Manifest

Path = tuple[str | int, ...]


def last_applied(live: Manifest) -> Mapping[str, Any]:
    """What of the annotation is compared; empty without one."""
    text = find(live, ["metadata", "annotations", rules.LAST_APPLIED])
    try:
        read = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    if not isinstance(read, dict):
        return {}
    return as_wanted(read, live)


def dropped(
    before: Any, want: Any, have: Any, shape: Shape, path: Path
) -> Iterator[tuple[Path, Any]]:
    """Three-way: what the last apply said, desired does not and live still has."""
    if isinstance(before, dict) and isinstance(want, dict) and isinstance(have, dict):
        for name, value in before.items():
            if have.get(name) is None or value is None:
                continue
            if want.get(name) is None:
                yield (*path, name), have[name]
            else:
                inner = (*path, name)
                yield from dropped(value, want[name], have[name], shape.of(name), inner)
    elif all(isinstance(value, list) for value in (before, want, have)):
        yield from _elements(before, want, have, shape, path)


def _elements(
    before: list[Any], want: list[Any], have: list[Any], shape: Shape, path: Path
) -> Iterator[tuple[Path, Any]]:
    if shape.members:
        for index, value in enumerate(have):
            if value in before and value not in want:
                yield (*path, index), value
    if not shape.keys:
        if shape.open and len(before) == len(want) == len(have):
            # Applied as a whole, so an element's place is what names it. Of the API's own lists
            # the walk finds what is too much.
            for index, three in enumerate(zip(before, want, have, strict=True)):
                yield from dropped(*three, shape.element, (*path, index))
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
            yield from dropped(element, *pair, shape.element, (*path, index))
