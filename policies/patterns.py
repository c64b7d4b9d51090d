"""Patterns of branch names: `feature/*`, `main`, `*`. Only `*` has a meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields

_ALLOWED = re.compile(r"[A-Za-z0-9*/._-]+", re.ASCII)


def matches(pattern: str, name: str) -> bool:
    """`*` stands for anything, also for nothing."""
    parts = map(re.escape, pattern.split("*"))
    return re.fullmatch(".*".join(parts), name, re.DOTALL) is not None


def first_match(patterns: Iterable[str], name: str) -> str | None:
    return next((pattern for pattern in patterns if matches(pattern, name)), None)


def read(fields: Fields, key: str) -> tuple[str, ...]:
    """A list of patterns out of a policy; BadInput for one that could never match."""
    found = fields.texts(key)
    for pattern in found:
        if not _ALLOWED.fullmatch(pattern):
            raise BadInput(
                f"{fields.file}: {key}: {pattern!r:.60} is no pattern of a branch name",
                hint="write names with *, such as feature/*",
            )
    return found
