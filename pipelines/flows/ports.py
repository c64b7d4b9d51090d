"""What flows need from outside and adapters implement: the origin and the release store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipelines.engine.charts import ChartRenderer
from pipelines.model.branch import BranchReading, BranchState
from pipelines.model.environment import EnvironmentSettings
from pipelines.model.release import Release
from pipelines.model.slots import Slot

__all__ = ["BranchCommit", "ChartRenderer", "Manifests", "Origin", "ReleaseStore"]


@dataclass(frozen=True, slots=True)
class BranchCommit:
    """One line of `slipway history`: a machine commit."""

    commit: str
    at: str
    subject: str
    state: BranchState


class Origin(Protocol):
    """The git repository that holds `env/*`, `main` and `develop`. Written by plumbing only."""

    def reachable(self) -> bool: ...

    def read(self, environment: str, known_commit: str | None) -> BranchReading:
        """Head of env/<env>, compared with the last commit the journal knows."""

    def commit(
        self,
        environment: str,
        state: BranchState,
        files: dict[str, str],
        *,
        expect: str | None,
        subject: str,
        trailers: dict[str, str],
    ) -> str:
        """One commit with `release.yaml` rendered from `state` plus `files`; update-ref with the old
        value `expect` (None: must not exist). Raises InProgress when the branch moved meanwhile."""

    def history(self, environment: str, limit: int) -> Sequence[BranchCommit]: ...

    def file(self, environment: str, commit: str, path: str) -> str | None: ...

    def anchors(self, environment: str) -> Sequence[str]:
        """Audit heads in the trailers of env/<env>, oldest first."""

    def restore_branch(self, environment: str, commit: str) -> None:
        """Point env/<env> at a commit the journal knows (doctor)."""

    def settings(self, environment: str) -> EnvironmentSettings:
        """`environments/<env>/environment.yaml` on `main`."""

    def policy_text(self, rule: str) -> str | None:
        """`policies/<rule>/policy.yaml` on `main`; None when `main` has no folder `policies`.
        Raises BadInput when the folder is there and the file is not."""

    def branches_with(self, commit: str, parts: Mapping[str, str]) -> Sequence[str]:
        """Branches of people that contain the commit, or one with the very same `Release.parts`."""


class ReleaseStore(Protocol):
    """Releases under the state folder: manifest, wheel, one virtual environment each."""

    def build(self, checkout: Path, *, allow_dirty: bool = False, commit: str = "") -> Release:
        """Build HEAD of the checkout, or return the release that already has this content. With
        `commit` that one, from any repository that has it; no work tree is looked at then.
        Refused on uncommitted changes in app/, charts/ or environments/ (unless allow_dirty)."""

    def get(self, release: str) -> Release:
        """By id, unique prefix or version. Refused with 'unknown' or 'unbuilt' and what to type."""

    def newest(self) -> Release | None: ...

    def all(self) -> Sequence[Release]: ...

    def give_alias(self, release: Release, alias: str) -> None:
        """People call the release by this version (`1.4.0`) from now on."""

    def python(self, release: Release) -> Path:
        """The interpreter of the release's own virtual environment; rebuilt offline if damaged."""

    def source(self, release: Release) -> Path:
        """The folder with the release's own data as committed: `charts/`, `environments/`,
        `app/slipway.yaml`. Refused when it is gone."""

    def prune(self, keep: Sequence[str]) -> Sequence[str]:
        """Remove releases not in `keep`; returns what went."""


class Manifests(Protocol):
    """What the branch of an environment on Kubernetes holds of its releases."""

    def files(self, state: BranchState, releases: Mapping[str, Release]) -> dict[str, str]:
        """Path → text, from each release's own charts and values. Raises BadInput (a chart that
        does not render, values without slots) and Refused (a Secret with values) before anything
        is changed."""

    def candidate(self, release: Release, slot: Slot) -> dict[str, str]:
        """The same of one release in one slot, as if it were active there; nothing is kept."""

    def forget(self, but: Sequence[str]) -> None:
        """Remove what is kept for a time without git, of all releases but these."""
