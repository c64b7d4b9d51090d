"""What a sync was asked for and what it will do, in Argo CD's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pipelines.model.live import Health
from pipelines.model.resource import Resource, ResourceKey


class SyncPhase(StrEnum):
    """In the order they run; SyncFail only after a failure."""

    PRE_SYNC = "PreSync"
    SYNC = "Sync"
    POST_SYNC = "PostSync"
    SYNC_FAIL = "SyncFail"


class Action(StrEnum):
    """What a step does to one object. `REPLACE` deletes and creates, or updates as a whole."""

    CREATE = "create"
    CHANGE = "change"
    REPLACE = "replace"
    NOTHING = "nothing"
    PRUNE = "prune"
    HOOK = "hook"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One difference. `path` is a JSON pointer; `old` or `new` is None where there is nothing.

    `manager` is the field manager that live says owns the field; `since` its time (RFC 3339), where
    live says so. `immutable`: the API would refuse this change, only a replace makes it.
    """

    path: str
    old: Any
    new: Any
    manager: str = ""
    since: str = ""
    immutable: bool = False


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """One entry of `spec.ignoreDifferences`. Empty `kind`, `name` or `namespace` match all."""

    group: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    json_pointers: tuple[str, ...] = ()
    managed_fields_managers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """After a failed attempt: wait min(`max_seconds`, `seconds` · `factor`ⁿ), at most `limit` times."""

    limit: int = 5
    seconds: float = 5.0
    factor: float = 2.0
    max_seconds: float = 180.0


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """What an `Application` says about a sync; the defaults are Argo CD's.

    `options` are the names of `spec.syncPolicy.syncOptions` that are on (`ServerSideApply`,
    `Replace`, `CreateNamespace`, …); what is neither true nor false stays whole (`Prune=confirm`).
    `application` is the name that tracking ids begin with; empty: nothing is tracked, and all live
    objects are the application's. `earlier`: names it had before; what they track and carries `labels`
    is its own too, and gets its tracking id by the next sync. `revision` and `started_at_unix` (seconds)
    name unnamed hooks.
    """

    application: str
    namespace: str
    prune: bool = False
    self_heal: bool = False
    allow_empty: bool = False
    automated: bool = False
    options: frozenset[str] = frozenset()
    ignore: tuple[IgnoreRule, ...] = ()
    retry: Retry = Retry()
    earlier: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    revision: str = ""
    started_at_unix: int = 0


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One object in one (phase, wave). `changes` are empty for what is created or pruned whole."""

    phase: SyncPhase
    wave: int
    action: Action
    key: ResourceKey
    desired: Resource | None
    live: Resource | None
    changes: tuple[FieldChange, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """Steps in the order they run. Equal desired and live give an equal plan, byte for byte."""

    steps: tuple[PlanStep, ...]
    settings: SyncSettings
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceHealth:
    """Argo CD's state and message of one object."""

    status: Health
    message: str = ""


class ResultCode(StrEnum):
    """What became of one object of a sync, as in Argo CD's `syncResult`, which leaves out what was
    planned and not reached any more (NOT_APPLIED)."""

    SYNCED = "Synced"
    SYNC_FAILED = "SyncFailed"
    PRUNED = "Pruned"
    PRUNE_SKIPPED = "PruneSkipped"
    NOT_APPLIED = "NotApplied"


@dataclass(frozen=True, slots=True)
class ResourceResult:
    """`hook_phase` is Running, Succeeded, Failed or Error for hooks, else empty."""

    key: ResourceKey
    phase: SyncPhase
    wave: int
    code: ResultCode
    message: str = ""
    hook_phase: str = ""


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """How an operation ended: `phase` is Succeeded, Failed, Error or Terminated.

    `results` name what was applied and what was not. `manifests` is the digest of the desired set.
    """

    phase: str
    message: str
    results: tuple[ResourceResult, ...]
    manifests: str
    started_at: str
    finished_at: str
    details: dict[str, Any] = field(default_factory=dict)
