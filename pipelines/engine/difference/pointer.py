"""JSON pointers (RFC 6901): writing, reading, and the order in which people read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pipelines.model.sync import FieldChange

MISSING = object()
DIGITS = re.compile(r"\d+")


def escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def join(steps: Sequence[str | int]) -> str:
    return "".join(f"/{escape(step) if isinstance(step, str) else step}" for step in steps)


def split(pointer: str) -> list[str]:
    """Steps of a pointer; the empty pointer has none. A missing first slash is forgiven."""
    if not pointer:
        return []
    steps = pointer.removeprefix("/").split("/")
    return [step.replace("~1", "/").replace("~0", "~") for step in steps]


def is_index(step: str) -> bool:
    return step.isascii() and step.isdigit()


def child(value: Any, step: str) -> Any:
    """One step down, or MISSING."""
    if isinstance(value, dict):
        return value.get(step, MISSING)
    if isinstance(value, list) and is_index(step) and int(step) < len(value):
        return value[int(step)]
    return MISSING


def find(value: Any, steps: Iterable[str]) -> Any:
    for step in steps:
        value = child(value, step)
        if value is MISSING:
            return MISSING
    return value


def in_order(found: Iterable[FieldChange]) -> list[FieldChange]:
    """By path, numbers as numbers; of one path as they were found."""
    return sorted(found, key=lambda change: [_rank(step) for step in change.path.split("/")])


def _rank(step: str) -> tuple[int, int, str]:
    if step == "-":  # what is appended comes after what is there
        return (1, 0, step)
    return (0, int(step), "") if is_index(step) else (0, -1, step)
