"""What a custom resource's lists are, read from the record of who owns what in them.

The server writes the record by the definition's own list types, which nobody else tells us: `k:`
marks a list by key and names the key, `v:` marks a set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipelines.engine.difference.owners import Fields, entries, key_object
from pipelines.engine.difference.shapes import Shape
from pipelines.model.resource import Manifest


def learned(shape: Shape, live: Manifest) -> Shape:
    """An open shape with what this object's record says of it; any other shape as it is."""
    return _with(shape, [entry.fields for entry in entries(live)]) if shape.open else shape


def _with(shape: Shape, sets: Sequence[Fields]) -> Shape:
    steps: dict[str, list[Fields]] = {}
    for fields in sets:
        for step, sub in fields.items():
            if isinstance(sub, dict):
                steps.setdefault(step, []).append(sub)
    elements = [step for step in steps if step.startswith("k:")]
    if elements:
        inner = [sub for step in elements for sub in steps[step]]
        keys = tuple(name for name, _ in key_object(elements[0]) or ())
        return Shape(item=_with(shape.element, inner), keys=keys, other=shape.other, open=True)
    if any(step.startswith("v:") for step in steps):
        return Shape(members=True, open=True)
    return _mapping(shape, steps.items())


def _mapping(shape: Shape, steps: Iterable[tuple[str, Any]]) -> Shape:
    fields = dict(shape.fields)
    for step, subs in steps:
        name = step[2:]
        inner = shape.of(name)
        if step.startswith("f:") and inner.open and any(subs):
            fields[name] = _with(inner, subs)
    return Shape(fields=fields, other=shape.other, open=True, whole=shape.whole, keys=shape.keys)
