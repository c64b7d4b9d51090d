"""What the Kubernetes target needs beside a `Cluster`; implemented elsewhere, put in by wiring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipelines.model.live import BackupInfo
from pipelines.model.release import Release
from pipelines.model.resource import Resource
from pipelines.model.slots import Slot
from pipelines.targets.kubernetes.cluster import Cluster
from pipelines.targets.local.ports import Http, Rows


class Manifests(Protocol):
    """What the charts of a release make of it. Hooks are left out: the engine is the hooks."""

    def slot(self, slot: Slot, release: Release) -> Sequence[Resource]:
        """Everything of one slot, with the tracking annotation."""

    def edge(self, release: Release) -> Sequence[Resource]:
        """Services, route and the like: one of each per environment."""


class Syncer(Protocol):
    """Makes live equal to what is desired, in Argo CD's order."""

    def sync(self, desired: Sequence[Resource], labels: Mapping[str, str]) -> None:
        """Apply all; remove what carries these labels and our tracking id and is not desired any
        more. With no labels nothing is removed. Raises Refused when an object cannot be applied,
        naming it, what was applied and what was not; Unavailable when it is worth another try."""


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
