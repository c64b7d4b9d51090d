"""The half of every target that asks the application: only where its commands run differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.model.branch import ActiveRow
from pipelines.model.errors import Refused, Unavailable
from pipelines.model.live import Check, Handover, MigrationStatus
from pipelines.model.release import Release
from pipelines.model.slots import Slot
from pipelines.targets.answers import (
    HANDOVER_SECONDS,
    checks_of,
    database_was_away,
    handover_args,
    last_words,
    migration_status_of,
    row_of,
)
from pipelines.targets.local.ports import CommandResult, Rows

STATUS_SECONDS = 20.0
MIGRATE_SECONDS = 280.0
LOCK_TIMEOUT = "LOCK_TIMEOUT"
"""What an application names a migration that met a busy lock: to be tried again later."""


class AsksApplication:
    """A target says where a command runs (`_run`, and `_run_migration` where that is elsewhere) and
    where the row is (`rows`)."""

    rows: Rows
    handover_seconds: float = HANDOVER_SECONDS
    status_seconds: float = STATUS_SECONDS

    def _run(
        self,
        release: Release,
        slot: Slot | None,
        command: str,
        args: Sequence[str],
        timeout_seconds: float,
    ) -> CommandResult:
        """One of the application's JSON commands; the slot is no matter where it is None."""
        raise NotImplementedError

    def _run_migration(self, release: Release, arguments: Sequence[str]) -> CommandResult:
        return self._run(release, None, "migrate", arguments, MIGRATE_SECONDS)

    def migration_status(self, release: Release) -> MigrationStatus:
        if not release.application.offers("migrate"):
            return MigrationStatus((), (), (), ())
        result = self._run(release, None, "migrate", ["status"], self.status_seconds)
        if result.code is None:
            limit = self.status_seconds
            raise Unavailable(f"the application did not say its migrations within {limit:g} s")
        return migration_status_of(result)

    def migrate(self, release: Release, kind: str) -> None:
        self._migrate(release, ["up", "--kind", kind])

    def undo_migrations(self, release: Release, to: str) -> None:
        self._migrate(release, ["down", "--to", to])

    def _migrate(self, release: Release, arguments: Sequence[str]) -> None:
        if not release.application.offers("migrate"):
            return
        result = self._run_migration(release, arguments)
        if result.code is None:
            raise Unavailable(f"migrations did not end within {MIGRATE_SECONDS:g} s")
        if result.code != 0:
            answer = result.answer if isinstance(result.answer, dict) else {}
            words = f"migrations failed: {answer.get('message') or last_words(result)}"
            later = answer.get("error") == LOCK_TIMEOUT or database_was_away(words)
            raise Unavailable(words) if later else Refused(words)

    # --- checks ----------------------------------------------------------------------------------
    def application_check(
        self,
        release: Release,
        slot: Slot,
        command: str,
        args: Sequence[str],
        timeout_seconds: float,
    ) -> Sequence[Check]:
        if not release.application.offers(command):
            words = f"the application does not offer {command}"
            return (Check(command, True, words, samples=0),)
        result = self._run(release, slot, command, args, timeout_seconds)
        return checks_of(command, result, timeout_seconds)

    def application_answer(
        self,
        release: Release,
        slot: Slot,
        command: str,
        args: Sequence[str],
        timeout_seconds: float,
    ) -> Any:
        if not release.application.offers(command):
            return None
        result = self._run(release, slot, command, args, timeout_seconds)
        if result.code is None or result.answer is None:
            raise Unavailable(f"{command} gave no answer: {last_words(result)}")
        return result.answer

    # --- switch ----------------------------------------------------------------------------------
    def handover(self, release: Release, request: Handover) -> ActiveRow:
        """The application moves its own lease in the same transaction; one without a lease has
        the row written by the engine."""
        if not release.application.offers("handover"):
            return self.rows.switch(request)
        arguments = handover_args(request)
        limit = self.handover_seconds
        return row_of(self._run(release, request.slot, "handover", arguments, limit), limit)

    def confirm(self, operation: str, token: int) -> None:
        self.rows.confirm(operation, token)

    def mark_published(self, operation: str, token: int) -> None:
        self.rows.published(operation, token)
