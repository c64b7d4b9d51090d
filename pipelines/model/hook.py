"""What hooks in a cluster write down in the environment's database, for each other and for whoever
observes from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

STEPS = ("guard", "backup", "migrate", "verify", "switch")

RUNNING, SUCCEEDED, FAILED = "running", "succeeded", "failed"
SKIPPED, REFUSED = "skipped", "refused"
STOPPED = "stopped"
"""Somebody went back while it was under way."""


def closed_key(release: str) -> str:
    """Once-key of a contract migration without which this release cannot run any more."""
    return f"closed:{release}"


@dataclass(frozen=True, slots=True)
class HookRecord:
    """One step of one operation, as it ended last. `named` is the operation that the branch named;
    `operation` is another one when the branch came back to what it had named before. `details`: what
    evidence is made of, by name."""

    operation: str
    step: str
    named: str
    release: str
    slot: str
    status: str
    message: str
    at: str
    details: Mapping[str, Any] = field(default_factory=dict)


class HookRecords(Protocol):
    """Schema `slipway` of the environment's database. Raises Unavailable when it does not answer."""

    def prepare(self) -> None:
        """Schema and tables are there. Doing it again changes nothing."""

    def take_token(self, at_least: int = 0) -> int:
        """A token that is larger than every one before. Who has an older one writes nothing more."""

    def newest_token(self) -> int:
        """The largest that was given out; 0 before the first."""

    def alone(self, wait_seconds: float) -> bool:
        """No other hook of this environment runs until this connection ends."""

    def busy(self) -> bool:
        """A hook of this environment runs now."""

    def of(self, operation: str) -> list[HookRecord]:
        """By the operation, or by the one that the branch named; oldest first."""

    def newest(self) -> HookRecord | None: ...

    def write(self, record: HookRecord) -> None: ...

    def once(self, key: str) -> str | None:
        """The operation that recorded it."""

    def record_once(self, key: str, operation: str) -> None: ...

    def ran(self, operation: str) -> bool:
        """Was this operation ever the row's?"""

    def confirmed(self, release: str) -> bool:
        """Was this release ever active here, and found good?"""
