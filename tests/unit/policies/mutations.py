"""Every way in which one value of a policy's data can be let go: what its cases must notice."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]

NOTHING = {
    "most": 1e9,
    "least": -1e9,
    "max_length": 200,
    "max_age_days": 3660,
    "max_age_hours": 87_000,
    "seconds": 0,
    "min_words": 1,
    "main": 1,
    "policies/": 1,
    ".github/CODEOWNERS": 1,
}
"""Where a number means nothing any more, and is still one that the rule takes."""
ELSEWHERE = {
    "max_bytes": "no case is so long",
    "develop": "1 is the least there is",
    "rehearsal_rows": "a rehearsal's own tests",
    "longest_stall_seconds": "a rehearsal's own tests",
}
"""Numbers that have a test of their own, or cannot be let go."""


def looser(data: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(what was done, the data afterwards): switches off, items of lists taken out, numbers moved to
    where they mean nothing. KeyError for a number of which nobody has said where that is."""
    for path, value in _leaves(data, ()):
        key = str(path[-1])
        where = ".".join(map(str, path))
        if value is True:
            yield f"{where} switched off", _with(data, path, False)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            inside_a_list = len(path) > 1 and isinstance(path[-2], int)
            if key not in ELSEWHERE and not inside_a_list:
                yield f"{where} {value} to {NOTHING[key]}", _with(data, path, NOTHING[key])
        if isinstance(path[-1], int):
            yield f"{where} taken out", _without(data, path)


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _leaves(inner, (*path, position))
            if isinstance(inner, dict):
                yield (*path, position), inner
    else:
        yield path, value


def _with(data: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    whole = copy.deepcopy(dict(data))
    _holder(whole, path)[path[-1]] = value
    return whole


def _without(data: Mapping[str, Any], path: Path) -> dict[str, Any]:
    whole = copy.deepcopy(dict(data))
    del _holder(whole, path)[path[-1]]
    return whole


def _holder(whole: Any, path: Path) -> Any:
    for key in path[:-1]:
        whole = whole[key]
    return whole
