"""Reading fields of an object that anybody may have written.

What is absent reads as empty, as in Kubernetes' own types. What has another type than it must have
raises Unreadable: a state judged from half-understood fields would be a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.model.live import Health
from pipelines.model.sync import ResourceHealth

EMPTY: Mapping[str, Any] = {}


class Unreadable(Exception):
    """A field that the judgement needs has the wrong type, or is missing where it must not be."""


def healthy(message: str = "") -> ResourceHealth:
    return ResourceHealth(Health.HEALTHY, message)


def progressing(message: str = "") -> ResourceHealth:
    return ResourceHealth(Health.PROGRESSING, message)


def degraded(message: str = "") -> ResourceHealth:
    return ResourceHealth(Health.DEGRADED, message)


def suspended(message: str = "") -> ResourceHealth:
    return ResourceHealth(Health.SUSPENDED, message)


def unknown(message: str = "") -> ResourceHealth:
    return ResourceHealth(Health.UNKNOWN, message)


def field(container: Mapping[str, Any], *path: str) -> Any:
    """The value at the path, or None; a step into something that is no mapping is unreadable."""
    value: Any = container
    for step in path:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise Unreadable(f"'{step}' is looked for in {value!r}, which is no mapping")
        value = value.get(step)
    return value


def mapping(container: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    value = field(container, *path)
    if value is None:
        return EMPTY
    if not isinstance(value, Mapping):
        raise Unreadable(f"{'.'.join(path)} is {value!r}, not a mapping")
    return value


def text(container: Mapping[str, Any], *path: str) -> str:
    value = field(container, *path)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(f"{'.'.join(path)} is {value!r}, not a string")
    return value


def optional_number(container: Mapping[str, Any], *path: str) -> int | None:
    value = field(container, *path)
    if value is None:
        return None
    whole = isinstance(value, float) and value.is_integer()  # which what is endless is not
    if not whole and (isinstance(value, bool) or not isinstance(value, int)):
        raise Unreadable(f"{'.'.join(path)} is {value!r}, not a whole number")
    return int(value)


def number(container: Mapping[str, Any], *path: str) -> int:
    return optional_number(container, *path) or 0


def flag(container: Mapping[str, Any], *path: str) -> bool:
    value = field(container, *path)
    if value is not None and not isinstance(value, bool):
        raise Unreadable(f"{'.'.join(path)} is {value!r}, not true or false")
    return bool(value)


def items(container: Mapping[str, Any], *path: str) -> Sequence[Mapping[str, Any]]:
    """A list of mappings; absent is empty."""
    value = field(container, *path)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise Unreadable(f"{'.'.join(path)} is no list of mappings")
    return value


def length(container: Mapping[str, Any], *path: str) -> int:
    value = field(container, *path)
    if value is None:
        return 0
    if not isinstance(value, list):
        raise Unreadable(f"{'.'.join(path)} is {value!r}, not a list")
    return len(value)


def conditions(manifest: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return items(manifest, "status", "conditions")


def of_type(manifest: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    """Conditions of one type, in their order; there is one at most where the API keeps its rules."""
    return (condition for condition in conditions(manifest) if condition.get("type") == kind)


def annotation(manifest: Mapping[str, Any], name: str) -> str | None:
    value = mapping(manifest, "metadata", "annotations").get(name)
    return value if isinstance(value, str) else None


def name_of(manifest: Mapping[str, Any]) -> str:
    return text(manifest, "metadata", "name")


def behind(manifest: Mapping[str, Any]) -> bool:
    """Whether the controller has not yet looked at the newest specification."""
    wanted = number(manifest, "metadata", "generation")
    return wanted > number(manifest, "status", "observedGeneration")
