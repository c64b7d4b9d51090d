"""What a custom resource's lists are, read from the record of who owns what in them.

The server writes the record by the definition's own list types, which nobody else tells us: `k:`
marks a list by key and names the key, `v:` marks a set. A list with nothing below is one value: who
applies it replaces all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from pipelines.engine.difference import rules
from pipelines.engine.difference.owners import Entry, Fields, entries, key_object
from pipelines.engine.difference.shapes import Shape, shape_of
from pipelines.model.resource import Manifest

# A set of fields, and whether it is ours.
Owned = tuple[Fields, bool]


def known_shape(desired: Manifest, live: Manifest) -> Shape:
    """Of the object's kind; of a custom resource with what its record in live says of it."""
    shape = shape_of(str(desired.get("apiVersion", "")), str(desired.get("kind", "")))
    if not shape.open:
        return shape
    return _with(shape, [(entry.fields, _is_ours(entry)) for entry in entries(live)])


def _is_ours(entry: Entry) -> bool:
    """Ours, or taken from us by hand. What a controller completes in a list is left to it."""
    if entry.manager.startswith(rules.BY_HAND) or entry.manager in rules.CLIENT_SIDE:
        return True
    return entry.manager in rules.OUR_MANAGERS and entry.operation == "Apply"


def _with(shape: Shape, sets: Sequence[Owned]) -> Shape:
    steps: dict[str, list[Owned]] = {}
    for fields, ours in sets:
        for step, sub in fields.items():
            if isinstance(sub, dict):
                steps.setdefault(step, []).append((sub, ours))
    elements = [step for step in steps if step.startswith("k:")]
    if elements:
        inner = [sub for step in elements for sub in steps[step]]
        keys = tuple(name for name, _ in key_object(elements[0]) or ())
        return Shape(item=_with(shape.element, inner), keys=keys, other=shape.other, open=True)
    if any(step.startswith("v:") for step in steps):
        return Shape(members=True, open=True)
    return _mapping(shape, steps.items())


def _mapping(shape: Shape, steps: Iterable[tuple[str, Sequence[Owned]]]) -> Shape:
    fields = dict(shape.fields)
    for step, subs in steps:
        name = step[2:]
        inner = shape.of(name)
        if not step.startswith("f:") or not inner.open:
            continue
        if any(sub for sub, _ in subs):
            fields[name] = _with(inner, subs)
        elif any(ours for _, ours in subs):
            fields[name] = _whole(inner)
    return replace(shape, fields=fields)


@lru_cache(maxsize=64)
def _whole(shape: Shape) -> Shape:
    """Of few shapes that are made once, so that there is one for each."""
    return replace(shape, item=shape.element, atomic=True)
