"""What the Kubernetes target needs beside a `Cluster`; implemented elsewhere, put in by wiring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipelines.model.live import BackupInfo
from pipelines.model.release import Release
from pipelines.model.resource import Resource
from pipelines.model.slots import Slot
from pipelines.model.sync import PlanStep, SyncOutcome
from pipelines.targets.kubernetes.cluster import Cluster
from pipelines.targets.local.ports import Http, Rows


class Manifests(Protocol):
    """What the charts of a release make of it. Hooks are left out: the engine is the hooks."""

    def slot(self, slot: Slot, release: Release) -> Sequence[Resource]:
        """Everything of one slot, with the tracking annotation."""

    def edge(self, release: Release) -> Sequence[Resource]:
        """Services, route and the like: one of each per environment."""


class Syncer(Protocol):
    """Makes live equal to what is desired. `part` is a slot or the edge; each tracks its own."""

    def plan(self, part: str, desired: Sequence[Resource]) -> Sequence[PlanStep]:
        """What is not as desired, and what a sync would do about it; nothing is written. Raises
        Refused where another application has an object of the environment, Unavailable."""

    def sync(self, part: str, desired: Sequence[Resource]) -> None:
        """Apply what differs, remove what the part has no more. Nothing is written, and nothing
        told, when all is as desired. Raises as `plan`; Refused when it failed or took too long,
        Unavailable when the API server went away, StaleToken when a newer operation took over, each
        naming what was applied and what was not."""


class Diary(Protocol):
    """Where syncs are recorded, and who may end one."""

    def stop(self) -> Callable[[], str]:
        """What a sync that begins now asks often, from several threads: why to end, or nothing."""

    def confirmed(self) -> bool:
        """Asked while a sync waits: may what `Prune=confirm` holds back be removed?"""

    def synced(self, part: str, outcome: SyncOutcome, options: Mapping[str, Any]) -> None: ...


class Backups(Protocol):
    """Backups of a database that is not ours to stop."""

    def take(self, reason: str) -> BackupInfo:
        """Verified, or it raises and leaves nothing."""

    def all(self) -> Sequence[BackupInfo]: ...

    def refuse_restore(self, name: str) -> None:
        """Always raises: BadInput for a name that is not there, else NeedsPerson with the way."""


class Keeper(Protocol):
    """What keeps the environment's controller alive on the release host."""

    def abandoned(self) -> bool: ...

    def start(self, argv: Sequence[str]) -> None: ...

    def stop(self) -> None: ...


class Stock(Protocol):
    """The part of the release store that a target needs."""

    def get(self, release: str) -> Release: ...


@dataclass(frozen=True, slots=True)
class KubernetesAdapters:
    """Everything outside, for one environment."""

    cluster: Cluster
    manifests: Manifests
    syncer: Syncer
    rows: Rows
    backups: Backups
    http: Http
    keeper: Keeper
