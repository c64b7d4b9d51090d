"""Finding the element of one list that an element of the other is meant to be."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from pipelines.engine.difference.rules import KEY_DEFAULTS

Key = tuple[Hashable, ...]


def key_of(element: Any, names: Sequence[str]) -> Key | None:
    """The values of the naming fields; None for what cannot be named by them."""
    if not isinstance(element, dict):
        return None
    values = []
    for name in names:
        value = element.get(name)
        if value is None:
            value = _deep(element, name) if "/" in name else KEY_DEFAULTS.get(name)
        if isinstance(value, (dict, list)):
            return None
        values.append(value)
    return tuple(values)


def _deep(element: Mapping[str, Any], path: str) -> Any:
    value: Any = element
    for step in path.split("/"):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def by_key(elements: Sequence[Any], names: Sequence[str]) -> dict[Key, int] | None:
    """Key to index; of equal keys the second is another one. None where an element has no key."""
    found: dict[Key, int] = {}
    twins: dict[Key, int] = {}
    for index, element in enumerate(elements):
        key = key_of(element, names)
        if key is None:
            return None
        if key in found:
            twins[key] = twins.get(key, 1) + 1
            key = (*key, twins[key])
        found[key] = index
    return found
