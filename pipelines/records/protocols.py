"""What is remembered per environment, and the promises behind it.

Everything lies in one SQLite file per environment under the state folder, so a rollback can write
it with the database, the origin and the network down. All times are UTC ISO 8601 strings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LockState:
    """Who may act. `token` only ever grows. `pid`/`boot_id`/`started` tell a dead holder from a live one."""

    token: int
    holder: str
    purpose: str
    pid: int
    acquired_at: str
    expires_at: str
    alive: bool


class Lock(Protocol):
    """The environment's actor lock. A holder is dead when its process is gone (pid + start time) or
    its lease ran out; a live one is only replaced by `preempt`. `at_least`: the token may jump to
    that, where others have given out tokens of the same environment meanwhile."""

    def acquire(self, holder: str, purpose: str, *, lease_seconds: float, at_least: int = 0) -> int:
        """Token, or InProgress naming the holder."""

    def preempt(self, holder: str, purpose: str, *, lease_seconds: float, at_least: int = 0) -> int:
        """Take the lock whoever has it (rollback, `lock break`); the old token is stale at once."""

    def renew(self, token: int, *, lease_seconds: float) -> None:
        """StaleToken when another holder has come."""

    def check(self, token: int) -> None:
        """StaleToken when another holder has come."""

    def release(self, token: int) -> None: ...

    def status(self) -> LockState | None: ...


@dataclass(frozen=True, slots=True)
class StepRecord:
    name: str
    status: str  # pending · running · done · skipped · failed
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """`id` is derived from what asked for it (the env commit, or a rollback's own id), so asking
    twice is one operation. `status`: running · succeeded · undone · failed · preempted · refused."""

    id: str
    kind: str  # bootstrap · promotion · rollback · return · sync
    release: str
    from_slot: str
    to_slot: str
    commit: str
    actor: str
    reason: str
    options: Mapping[str, Any]
    plan_digest: str
    status: str
    message: str
    started_at: str
    ended_at: str
    switch_seconds: float | None
    token: int
    steps: tuple[StepRecord, ...] = field(default=())


class Journal(Protocol):
    """Steps of operations, for resuming. Every write checks the token in the same transaction."""

    def open(self, operation: Operation) -> Operation:
        """Begin, or return the operation with that id as far as it got."""

    def step(
        self, operation: str, token: int, name: str, status: str, seconds: float, detail: str = ""
    ) -> None: ...

    def effect(self, operation: str, token: int, name: str, act: Callable[[], T]) -> T | None:
        """Run `act` once per operation: recorded as done afterwards, then skipped (returns None).
        Before and after it the failpoints `<name>:before` and `<name>:after` are honoured. `act`
        must be idempotent: a crash between act and record runs it again."""

    def done(self, operation: str, name: str) -> bool: ...

    def remember(self, operation: str, token: int, key: str, value: Any) -> None:
        """A JSON value the operation needs after a crash (the baseline, the former occupant)."""

    def recall(self, operation: str, key: str) -> Any: ...

    def close(
        self,
        operation: str,
        token: int,
        status: str,
        message: str,
        switch_seconds: float | None = None,
    ) -> None: ...

    def get(self, operation: str) -> Operation | None: ...

    def running(self) -> Operation | None: ...

    def history(self, limit: int) -> Sequence[Operation]: ...

    def once(self, key: str) -> bool:
        """Was a hook recorded under this once-key?"""

    def record_once(self, key: str) -> None: ...

    def set_fact(self, key: str, value: Any) -> None:
        """Small durable facts: last commit seen on the branch, desired state for a time without git."""

    def fact(self, key: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`digest` = sha256(previous digest + canonical JSON of the entry)."""

    sequence: int
    at: str
    actor: str
    action: str
    environment: str
    reason: str
    options: Mapping[str, Any]
    plan_digest: str
    result: str
    details: Mapping[str, Any]
    previous: str
    digest: str


class Audit(Protocol):
    """Append-only, hash-chained; its head is anchored in every commit on `env/*`."""

    def append(
        self,
        *,
        actor: str,
        action: str,
        reason: str = "",
        options: Mapping[str, Any] | None = None,
        plan_digest: str = "",
        result: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> AuditEntry: ...

    def head(self) -> str: ...

    def entries(self, limit: int | None = None) -> Sequence[AuditEntry]: ...

    def verify(self, anchors: Sequence[str]) -> Sequence[str]:
        """Problems in words (empty: whole). Every anchor must be a digest in the chain, in order."""


class Freeze(Protocol):
    def freeze(self, actor: str, reason: str) -> None: ...

    def thaw(self, actor: str, reason: str) -> None: ...

    def state(self) -> tuple[str, str, str] | None:
        """(actor, reason, at) or None."""


@dataclass(frozen=True, slots=True)
class Records:
    """All records of one environment."""

    lock: Lock
    journal: Journal
    audit: Audit
    freeze: Freeze
