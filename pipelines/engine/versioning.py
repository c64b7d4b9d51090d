"""The version of a release: semantic, and decided by what changed since the last tag.

A version is an alias of a digest: it says to people how careful to be, and nothing depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from pipelines.model.check import CommitFact
from pipelines.model.errors import BadInput

_NUMBER = "(0|[1-9][0-9]{0,8})"
_VERSION = re.compile(rf"v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}", re.ASCII)
_BREAKING = re.compile(r"^(BREAKING[ -]CHANGE|Breaking):", re.MULTILINE)
_HOTFIX = re.compile(r"^Merge hotfix/")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """`major.minor.patch` after semver.org; pre-releases and build metadata are left out."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


FIRST = Version(0, 1, 0)


class Bump(IntEnum):
    """How much a version grows."""

    PATCH = 0
    MINOR = 1
    MAJOR = 2


def parse(text: str) -> Version:
    """`1.4.0` or `v1.4.0`. BadInput for leading zeros, missing or further parts."""
    found = _VERSION.fullmatch(text)
    if found is None:
        raise BadInput(
            f"{text[:100]!r} is no version", hint="three numbers without leading zeros: v1.4.0"
        )
    return Version(*(int(part) for part in found.groups()))


def versions_in(names: Collection[str], prefix: str = "v") -> dict[Version, str]:
    """The names that are versions behind the prefix (`v` for tags, `release/v` for branches)."""
    found = {}
    for name in names:
        rest = name.removeprefix(prefix)
        if name.startswith(prefix) and _VERSION.fullmatch(rest) and not rest.startswith("v"):
            found[parse(rest)] = name
    return found


def bump_of(
    commits: Sequence[CommitFact],
    before: Mapping[str, str],
    after: Mapping[str, str],
    contracts: Sequence[str],
) -> Bump:
    """`before` and `after` are tree ids of app/, charts/ and environments/; `contracts` are the
    contract migrations that came in: what they take away closes ways back, so it counts as breaking.

    Settings alone, or hotfixes alone, are a patch; any other change of code is a minor version.
    """
    if contracts or any(_BREAKING.search(commit.body) for commit in commits):
        return Bump.MAJOR
    code = any(before.get(part) != after.get(part) for part in ("app", "charts"))
    if not code or (commits and all(_HOTFIX.match(commit.subject) for commit in commits)):
        return Bump.PATCH
    return Bump.MINOR


def next_version(last: Version | None, bump: Bump, taken: Collection[Version]) -> Version:
    """The version after `last` (None: `FIRST`). One that was cut for another release and never
    reached production stays taken: a number never means two things."""
    found = FIRST if last is None else _grown(last, bump)
    while found in taken:
        found = _grown(found, bump)
    return found


def _grown(version: Version, bump: Bump) -> Version:
    # Before 1.0.0 everything may change: a breaking change is a minor version (semver.org, 4).
    if bump is Bump.MAJOR and version.major > 0:
        return Version(version.major + 1, 0, 0)
    if bump >= Bump.MINOR:
        return Version(version.major, version.minor + 1, 0)
    return Version(version.major, version.minor, version.patch + 1)
