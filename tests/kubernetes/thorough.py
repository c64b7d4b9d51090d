"""Cases that take long: a few say most and run always, the others where they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

import pytest

Case = TypeVar("Case")


def cases(
    every: Iterable[Case], always: Collection[str], name: Callable[[Case], str] = str
) -> list[Any]:
    """For `parametrize`: all of them, those not named in `always` marked `thorough`."""
    found = {name(one): one for one in every}
    unknown = set(always) - set(found)
    assert not unknown, f"nothing is called {unknown}"
    return [
        pytest.param(one, id=called, marks=() if called in always else (pytest.mark.thorough,))
        for called, one in found.items()
    ]
