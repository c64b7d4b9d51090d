"""The database of an environment: server, roles, backups, restore. Implements ports.Database."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.adapters import postgres_backup, postgres_restore
from pipelines.adapters.postgres_server import Server
from pipelines.model.errors import BadInput
from pipelines.model.live import BackupInfo
from pipelines.targets.local.layout import Layout


class LocalPostgres:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.server = Server(layout.postgres_data, layout.runtime, layout.logs / "postgres.log")

    def ensure(self) -> None:
        self.layout.make_folders()
        postgres_restore.finish_interrupted(self.layout)
        self.server.initialise(self.layout.admin_passfile)
        if self.server.postmaster() is None:
            self.server.configure()
        self.server.start()

    def stop(self) -> None:
        self.server.stop()

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
        postgres_restore.restore(self.layout, self.server, name)
