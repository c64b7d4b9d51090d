"""What the head of `env/<env>` says, and what the database row says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.model.slots import Slot, SlotContent


@dataclass(frozen=True, slots=True)
class Hold:
    """A release that may not come back until a person lifts it."""

    release: str
    reason: str
    actor: str
    at: str


@dataclass(frozen=True, slots=True)
class BranchState:
    """`release.yaml` of an environment branch. `kind`: bootstrap, promotion, rollback, hold, unhold."""

    environment: str
    active: Slot
    slots: Mapping[Slot, SlotContent | None]
    holds: tuple[Hold, ...]
    kind: str
    reason: str
    actor: str
    operation: str
    at: str
    audit_head: str

    @property
    def active_content(self) -> SlotContent | None:
        return self.slots[self.active]

    def is_held(self, release: str) -> Hold | None:
        return next((hold for hold in self.holds if hold.release == release), None)


@dataclass(frozen=True, slots=True)
class BranchHead:
    """A commit on `env/<env>` that Slipway recognises as its own."""

    commit: str
    parent: str | None
    state: BranchState


@dataclass(frozen=True, slots=True)
class BranchReading:
    """What reading an environment branch gave.

    Exactly one of: `head` (readable), or `trouble` — `unreachable` (origin away), `absent` (never
    made), `deleted` (the journal knows a commit, git does not), `rewritten` (the journal's last
    commit is no ancestor), `foreign` (a commit without Slipway's trailer), `broken` (release.yaml
    does not parse).
    """

    head: BranchHead | None = None
    trouble: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ActiveRow:
    """Row `slipway.active`: the one durable fact of a switch."""

    slot: Slot
    release: str
    epoch: int
    operation: str
    commit: str
    state: str
    confirm_by: datetime | None
    token: int
    previous_slot: Slot | None
    previous_release: str | None
    published: bool
    reason: str
    changed_at: datetime

    @property
    def provisional(self) -> bool:
        return self.state == "provisional"


@dataclass(frozen=True, slots=True)
class RowReading:
    """The row; `row=None, down=False` means no release was ever made active."""

    row: ActiveRow | None = None
    down: bool = False
    detail: str = field(default="")
