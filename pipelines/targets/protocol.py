"""What every target can do. A capability without a test in the shared suite does not exist.

A target knows apply, observe and health; it never knows the order of a release. All methods are
synchronous, idempotent, bounded in time, and raise `Unavailable` when something does not answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pipelines.model.branch import ActiveRow, RowReading
from pipelines.model.live import (
    BackupInfo,
    Check,
    Handover,
    LiveState,
    Mend,
    MigrationStatus,
    ProbeSamples,
    SlotLive,
    TrafficCounters,
)
from pipelines.model.release import Release
from pipelines.model.slots import Slot


class Target(Protocol):
    """One environment of one installation."""

    environment: str

    # --- what outlives a release -------------------------------------------------------------
    def ensure(self, services: Release) -> None:
        """Supervisor, database, schema `slipway` and services run; `services` names whose code
        the services run when they were never started before."""

    def stop_all(self) -> str:
        """Stop slots, and what else of this environment is Slipway's to stop. Says what that is."""

    def abandoned(self) -> bool:
        """It should run, and both its supervisor and its controller are gone: only a neighbour
        can notice. False after `stop_all`."""

    # --- observe -------------------------------------------------------------------------------
    def observe(self) -> LiveState: ...

    def observe_slot(self, slot: Slot) -> SlotLive: ...

    def read_row(self) -> RowReading: ...

    def live_url(self) -> str: ...

    def slot_url(self, slot: Slot) -> str: ...

    # --- database ------------------------------------------------------------------------------
    def migration_status(self, release: Release) -> MigrationStatus: ...

    def migrate(self, release: Release, kind: str) -> None:
        """Apply pending migrations of `kind` (expand or contract). Run again after a crash: goes on."""

    def undo_migrations(self, release: Release, to: str) -> None:
        """Undo, newest first, what was applied after revision `to` (`base`: everything)."""

    def backup(self, reason: str) -> BackupInfo:
        """Take a base backup and verify it; a backup that does not verify raises and is removed."""

    def list_backups(self) -> Sequence[BackupInfo]: ...

    def may_restore(self, name: str) -> None:
        """Raises what `restore` would raise on any day, before anything was stopped for it."""

    def restore(self, name: str) -> None:
        """Put the database back to a backup; refuses while a slot's processes run."""

    # --- slots ---------------------------------------------------------------------------------
    def stage(self, slot: Slot, release: Release) -> None:
        """Make the slot run exactly this release (stop what else is there). Returns when the
        processes are started, not ready. The same release already running: nothing happens."""

    def stop_slot(self, slot: Slot, *, kill: bool, forget: bool = False) -> None:
        """Stop a slot's processes (`kill`: SIGKILL at once, works on stopped processes, does not
        wait for a database or a network). `forget`: the slot is empty afterwards."""

    def pinned_releases(self) -> set[str]:
        """Releases a slot or a service names: never to be pruned."""

    def slot_drift(self, slot: Slot) -> Sequence[Mend]:
        """What was changed or stopped behind the engine's back, each with what mends it. Looking
        changes nothing."""

    # --- checks --------------------------------------------------------------------------------
    def application_check(
        self,
        release: Release,
        slot: Slot,
        command: str,
        args: Sequence[str],
        timeout_seconds: float,
    ) -> Sequence[Check]:
        """Run one of the application's JSON commands in the release's own environment.
        A command the application does not offer answers one ok check that says so."""

    def application_answer(
        self,
        release: Release,
        slot: Slot,
        command: str,
        args: Sequence[str],
        timeout_seconds: float,
    ) -> Any:
        """The JSON an application command printed (`why`), or None where it is not offered."""

    # --- switch --------------------------------------------------------------------------------
    def handover(self, release: Release, request: Handover) -> ActiveRow:
        """The switch transaction. Raises StaleToken or Refused (epoch) when it lost the race."""

    def confirm(self, operation: str, token: int) -> None: ...

    def mark_published(self, operation: str, token: int) -> None: ...

    def set_traffic(self, slot: Slot, *, live: bool, wait_seconds: float = 0.0) -> bool:
        """Let a slot accept from the live socket, or stop it. True when the slot's processes said
        so within `wait_seconds` (0: do not wait). Needs no database."""

    def follows_late(self, slot: Slot) -> bool:
        """The slot was given the traffic, and new connections still reach the other one, which is no
        fault of the slot: what leads them is behind."""

    def traffic(self) -> Slot | None:
        """Which slot was last told to accept (a file on disk), also with everything down."""

    def probe(self, slot: Slot | None, *, count: int, per_second: float) -> ProbeSamples:
        """Own requests against the live socket (None) or one slot's own socket."""

    def counters(self, slot: Slot) -> TrafficCounters: ...

    def memory_bytes(self, slot: Slot) -> dict[str, int]:
        """Resident bytes per process name; empty when the slot does not run."""
