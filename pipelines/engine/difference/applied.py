"""What the last `kubectl apply` said and desired no longer does, by three-way comparison."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.engine.difference import rules
from pipelines.engine.difference.lists import by_key, key_of
from pipelines.engine.difference.normal import as_wanted, with_bytes
from pipelines.engine.difference.pointer import find
from pipelines.engine.difference.scalars import says_nothing
from pipelines.engine.difference.shapes import Shape
from pipelines.model.resource import Manifest

Path = tuple[str | int, ...]
WRITTEN_BY_SERVERS = ("uid", "resourceVersion", "managedFields", "creationTimestamp")


def last_applied(live: Manifest) -> Mapping[str, Any]:
    """What of the annotation is compared; empty without one."""
    text = find(live, ["metadata", "annotations", rules.LAST_APPLIED])
    try:
        read = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(read, dict):
        return {}
    return as_wanted(read, live)


def as_applied(manifest: Manifest) -> Manifest:
    """A manifest that no server has written to as live would be once it is applied: with the record
    of what it says. Others as they are."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict) or any(metadata.get(name) for name in WRITTEN_BY_SERVERS):
        return manifest
    annotations = metadata.get("annotations") or {}
    if not isinstance(annotations, dict) or rules.LAST_APPLIED in annotations:
        return manifest
    recorded = {**annotations, rules.LAST_APPLIED: json.dumps(manifest)}
    stored = with_bytes(manifest) if manifest.get("kind") == "Secret" else manifest
    return {**stored, "metadata": {**metadata, "annotations": recorded}}


def dropped(
    before: Any, want: Any, have: Any, shape: Shape, path: Path
) -> Iterator[tuple[Path, Any]]:
    """Three-way: what the last apply said, desired does not and live still has."""
    if isinstance(before, dict) and isinstance(want, dict) and isinstance(have, dict):
        for name, value in before.items():
            if have.get(name) is None or value is None:
                continue
            inner = (*path, name)
            if want.get(name) is not None:
                yield from dropped(value, want[name], have[name], shape.of(name), inner)
            elif _stays(have[name], name, shape):
                yield inner, have[name]
    elif all(isinstance(value, list) for value in (before, want, have)):
        yield from _elements(before, want, have, shape, path)


def _stays(value: Any, name: str, shape: Shape) -> bool:
    """Whether a server has this value until it is taken away; what it dropped need not go."""
    return shape.open or shape.keeps(name) or not says_nothing(value, shape.of(name))


def _elements(
    before: list[Any], want: list[Any], have: list[Any], shape: Shape, path: Path
) -> Iterator[tuple[Path, Any]]:
    if shape.members:
        for index, value in enumerate(have):
            if value in before and value not in want:
                yield (*path, index), value
    if shape.keys:
        yield from _by_key(before, want, have, shape, path)
    elif shape.open and len(before) == len(want) == len(have):
        # Applied as a whole, so an element's place is what names it. Of the API's own lists the walk
        # finds what is too much.
        for index, three in enumerate(zip(before, want, have, strict=True)):
            yield from dropped(*three, shape.element, (*path, index))


def _by_key(
    before: list[Any], want: list[Any], have: list[Any], shape: Shape, path: Path
) -> Iterator[tuple[Path, Any]]:
    wanted, there = by_key(want, shape.keys), by_key(have, shape.keys)
    if wanted is None or there is None:  # the walk compares such lists by place
        return
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
