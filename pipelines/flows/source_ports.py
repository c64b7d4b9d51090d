"""What flows need of the branches that people write: an adapter works on the origin by plumbing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipelines.model.check import CommitFact

VERSION_TRAILER = "Slipway-Version"
RELEASE_TRAILER = "Slipway-Release"
BRANCH_TRAILER = "Slipway-Branch"
"""Trailers of the commit that a version is cut with: what the refs of versions are read from."""


@dataclass(frozen=True, slots=True)
class CutRecord:
    """A version that was cut. `branch` is `release/vX.Y.Z`, or the hotfix branch it came from;
    `commit` carries the changelog, its parent `base` is what the release was built from."""

    version: str
    release: str
    branch: str
    ref: str
    commit: str
    base: str


@dataclass(frozen=True, slots=True)
class Move:
    """A ref from `old` (empty: must not exist) to `new`."""

    ref: str
    new: str
    old: str


class Source(Protocol):
    """Raises Unavailable when the origin cannot be read or written."""

    def head(self, branch: str) -> str | None: ...

    def tags(self) -> Mapping[str, str]:
        """Name → commit of every tag."""

    def contains(self, branch: str, commit: str) -> bool:
        """Whether the commit is the branch's head or one of its ancestors."""

    def branches_with(self, commit: str) -> Sequence[str]:
        """Names of all branches of people that contain the commit, sorted; none for one that the
        origin does not have."""

    def cuts(self) -> Sequence[CutRecord]: ...

    def log(self, since: str | None, until: str) -> Sequence[CommitFact]:
        """Along the first parents, newest first. The body of a merge is the message of the last
        commit that it brought in."""

    def trees(self, commit: str) -> Mapping[str, str]:
        """Ids of the trees app, charts and environments, as far as they are there."""

    def text(self, commit: str, path: str) -> str | None: ...

    def write_file(
        self,
        parent: str,
        name: str,
        text: str,
        subject: str,
        trailers: Mapping[str, str],
        *,
        author: str,
    ) -> str:
        """A commit that sets one file at the top of the tree. No ref moves."""

    def merge(
        self, ours: str, theirs: str, subject: str, trailers: Mapping[str, str], *, author: str
    ) -> str:
        """A merge commit. No ref moves. Raises Refused naming the files in conflict."""

    def annotated_tag(self, name: str, commit: str, message: str) -> str:
        """A tag object by Slipway. No ref moves."""

    def move(self, moves: Sequence[Move]) -> None:
        """All refs or none. Raises InProgress when one is not where it was expected."""
