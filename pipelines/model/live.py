"""What a target observed, measured or was told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pipelines.model.slots import Slot


class Health(StrEnum):
    """Argo CD's names, best to worst."""

    HEALTHY = "Healthy"
    SUSPENDED = "Suspended"
    PROGRESSING = "Progressing"
    MISSING = "Missing"
    DEGRADED = "Degraded"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class ProcessLive:
    """One process of a slot as its own /version and /health answer, and its pid as supervised.
    On a cluster a process is several pods: `pid` is a number that changes when one was started
    again, and `instances` how many of them are ready."""

    name: str
    pid: int | None
    release: str
    artifact: str
    traffic: str
    ready: bool
    health: Health
    message: str
    instances: int = 1


@dataclass(frozen=True, slots=True)
class SlotLive:
    """`release` is what the slot was staged with (None: empty); `stopped`: staged but not running."""

    slot: Slot
    release: str | None
    processes: tuple[ProcessLive, ...]
    health: Health
    message: str


@dataclass(frozen=True, slots=True)
class LiveState:
    """Everything that runs in an environment."""

    slots: Mapping[Slot, SlotLive]
    services: Mapping[str, Health]
    database: Health
    supervisor: Health


@dataclass(frozen=True, slots=True)
class Check:
    """One answer of verify or analysis. A gate states its sample size."""

    name: str
    ok: bool
    message: str
    samples: int = 1


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """`pending` expand migrations not yet applied; `contract` ones that wait for the window;
    `missing`: applied in the database and unknown to the release; `blocked_by`: the contract one
    that stands before a pending expand one."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    contract: tuple[str, ...]
    missing: tuple[str, ...]
    blocked_by: str | None = None


@dataclass(frozen=True, slots=True)
class Mend:
    """One difference in words, what takes it away, and what the audit shall know of it."""

    words: str
    act: Callable[[], object]
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """A verified base backup. `bytes` on disk."""

    name: str
    taken_at: str
    bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class ProbeSamples:
    """Own probes: latency of each answer in seconds; `errors` are resets, time-outs over 1 s, 5xx."""

    latencies_seconds: tuple[float, ...]
    errors: int
    error_examples: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return len(self.latencies_seconds) + self.errors


@dataclass(frozen=True, slots=True)
class TrafficCounters:
    """Real traffic as /metrics counts it since the process started."""

    requests: int
    server_errors: int


@dataclass(frozen=True, slots=True)
class Handover:
    """Arguments of the switch transaction. Times UTC."""

    slot: Slot
    release: str
    operation: str
    commit: str
    token: int
    expect_epoch: int
    confirm_by: str | None
    published: bool
    reason: str

    @property
    def state(self) -> str:
        return "provisional" if self.confirm_by else "confirmed"
