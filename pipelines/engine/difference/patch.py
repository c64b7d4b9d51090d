"""Carrying changes out on data: what live would be afterwards."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from pipelines.engine.difference.pointer import split
from pipelines.model.resource import Manifest
from pipelines.model.sync import FieldChange


def carried_out(live: Manifest, found: Iterable[FieldChange]) -> dict[str, Any]:
    """A copy of live with the changes made. Paths count in live as it was, so elements go last, and
    from the end."""
    body: dict[str, Any] = copy.deepcopy(dict(live))
    found = list(found)
    for change in found:
        if change.new is not None:
            _put(body, split(change.path), copy.deepcopy(change.new))
    for change in reversed(found):
        if change.new is None:
            _drop(body, split(change.path))
    return body


def _put(value: Any, steps: list[str], new: Any) -> None:
    for step in steps[:-1]:
        value = value[int(step)] if isinstance(value, list) else value.setdefault(step, {})
    last = steps[-1]
    if not isinstance(value, list):
        value[last] = new
    elif last == "-":
        value.append(new)
    else:
        value[int(last)] = new


def _drop(value: Any, steps: list[str]) -> None:
    for step in steps[:-1]:
        value = value[int(step)] if isinstance(value, list) else value.get(step, {})
    if isinstance(value, list):
        del value[int(steps[-1])]
    else:
        value.pop(steps[-1], None)
