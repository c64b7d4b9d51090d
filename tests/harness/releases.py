"""Good releases for tests that need something to move between."""

from __future__ import annotations

import itertools

from tests.harness.installation import Installation
from tests.planted.edits import harmless

_made: dict[str, tuple[str, str]] = {}
_round = itertools.count()


def two_releases(installation: Installation) -> tuple[str, str]:
    """Two good releases, built once per installation."""
    key = str(installation.state)
    if key not in _made:
        number = next(_round)
        first = installation.release(harmless(f"first {number}"), "First good release")
        second = installation.release(harmless(f"second {number}"), "Second good release")
        _made[key] = (first, second)
    return _made[key]


def kept(installation: Installation) -> tuple[str, str] | None:
    """The pair, where it was built or given already."""
    return _made.get(str(installation.state))


def keep(installation: Installation, pair: tuple[str, str]) -> None:
    """These two are the pair: somebody has built them already."""
    _made[str(installation.state)] = pair


def forget(installation: Installation) -> None:
    """After a migration: the pair is built again, so that it contains the new revision."""
    _made.pop(str(installation.state), None)


def other_release(installation: Installation, environment: str) -> str:
    """Whichever of the two is not active in the environment."""
    first, second = two_releases(installation)
    return second if installation.agreement(environment).row()["release"] == first else first
