"""The database of an environment: server, roles, backups, restore. Implements ports.Database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pipelines.adapters import postgres_backup, postgres_restore
from pipelines.adapters.file_lock import wait_for_lock
from pipelines.adapters.postgres_server import START_SECONDS, STOP_SECONDS, Server
from pipelines.model.errors import BadInput, Unavailable
from pipelines.model.live import BackupInfo
from pipelines.targets.local.layout import Layout


class LocalPostgres:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.server = Server(layout.postgres_data, layout.runtime, layout.logs / "postgres.log")

    def ensure(self) -> None:
        self.layout.make_folders()
        with self._alone(START_SECONDS):
            postgres_restore.finish_interrupted(self.layout)
            self.server.initialise(self.layout.admin_passfile)
            if self.server.postmaster() is None:
                self.server.configure()
            self.server.start()

    def stop(self) -> None:
        with self._alone(STOP_SECONDS):
            self.server.stop()

    @contextmanager
    def _alone(self, seconds: float) -> Iterator[None]:
        """Commands and controller start, stop and restore one at a time: two of them at once would
        take each other's half-made server for remains. The lock ends with its process."""
        path = self.layout.root / "postgres.lock"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("w") as stream:
            wait_for_lock(stream.fileno(), seconds, self._late)
            yield

    def _late(self) -> Exception:
        return Unavailable(
            f"somebody else starts, stops or restores the database of {self.layout.environment}",
            hint="wait for it: slipway status",
        )

    def running(self) -> bool:
        found = self.server.postmaster()
        return found is not None and found.status == "ready"

    def backup(self, reason: str) -> BackupInfo:
        return postgres_backup.take(self.layout, reason)

    def list_backups(self) -> Sequence[BackupInfo]:
        return postgres_backup.all_backups(self.layout.backups)

    def restore(self, name: str) -> None:
        if (
            not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._-]*", name)
            or not (self.layout.backups / name / "backup.json").exists()
        ):
            known = ", ".join(info.name for info in self.list_backups()) or "none"
            raise BadInput(f"no backup {name!r}", hint=f"there are: {known}")
        with self._alone(START_SECONDS):
            postgres_restore.restore(self.layout, self.server, name)
