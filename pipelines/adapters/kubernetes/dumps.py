"""Backups of a database that somebody else runs: a dump on this machine, read back whole.

A base backup needs rights that a rented database does not give. A restore is not made here: it
cannot raise the server's timeline, by which an application knows that history was rewound.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipelines.adapters.postgres_server import binaries
from pipelines.adapters.process import run_limited
from pipelines.model.errors import BadInput, NeedsPerson, Unavailable
from pipelines.model.live import BackupInfo

DUMP_SECONDS = 280.0
KEPT = 10
FILE, FACTS = "database.dump", "backup.json"


class Dumps:
    """Implements targets.kubernetes.ports.Backups."""

    def __init__(self, folder: Path, url: Callable[[], str]) -> None:
        self.folder, self.url = folder, url

    def take(self, reason: str) -> BackupInfo:
        """Raises Unavailable with the words of pg_dump or pg_restore; then nothing is left."""
        now = datetime.now(UTC)
        name = now.strftime("%Y%m%dT%H%M%S%f")[:-3] + "Z"
        partial = self.folder / f".partial-{name}"
        partial.mkdir(parents=True, mode=0o700)
        try:
            file = partial / FILE
            self._run("pg_dump", "--format=custom", f"--file={file}", dbname=self.url())
            self._run("pg_restore", f"--file={os.devnull}", str(file))
            info = BackupInfo(name, now.isoformat(timespec="seconds"), file.stat().st_size, reason)
            facts = {
                "name": info.name,
                "taken_at": info.taken_at,
                "bytes": info.bytes,
                "reason": reason,
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            }
            (partial / FACTS).write_text(json.dumps(facts, indent=1) + "\n")
            partial.rename(self.folder / name)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        self._prune()
        return info

    def all(self) -> Sequence[BackupInfo]:
        found = []
        for path in sorted(self.folder.glob(f"*/{FACTS}")):
            try:
                facts = json.loads(path.read_text())
                found.append(
                    BackupInfo(*(facts[key] for key in ("name", "taken_at", "bytes", "reason")))
                )
            except (OSError, ValueError, KeyError):
                continue
        return found

    def refuse_restore(self, name: str) -> None:
        """Always raises: BadInput for a name that is not there, else NeedsPerson with the way."""
        known = [info.name for info in self.all()]
        if name not in known:
            raise BadInput(f"no backup {name!r}", hint=f"there are: {', '.join(known) or 'none'}")
        raise NeedsPerson(
            "the database is not Slipway's: it is put back by who runs it, to a point in time or"
            f" from {self.folder / name / FILE}",
            hint="make a new server from it (its timeline must be new), write its address into the"
            " secret and the file of kubernetes.database_url_file, then: slipway sync ENV",
        )

    def _run(self, program: str, *arguments: str, dbname: str = "") -> None:
        # The address may hold a password, and arguments can be read by everybody on the machine.
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **connection_variables(dbname)}
        code, _, errors = run_limited([str(binaries() / program), *arguments], env, DUMP_SECONDS)
        if code != 0:
            words = (errors.strip().splitlines() or [f"ended with {code}"])[-1]
            raise Unavailable(f"{program}: {words if code is not None else 'took too long'}")

    def _prune(self) -> None:
        for info in list(self.all())[:-KEPT]:
            shutil.rmtree(self.folder / info.name, ignore_errors=True)


# not-a-secret: names of libpq's variables
_NAMES = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"} | {
    "dbname": "PGDATABASE",
    "passfile": "PGPASSFILE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "hostaddr": "PGHOSTADDR",
}


def connection_variables(url: str) -> dict[str, str]:
    """A libpq URI as environment variables of a child process."""
    if not url:
        return {}
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(url)
    unknown = [key for key in parts if key not in _NAMES and not re.fullmatch(r"options", key)]
    if unknown:
        raise NeedsPerson(f"the database's address has {', '.join(unknown)}, unknown to backups")
    return {_NAMES[key]: str(value) for key, value in parts.items() if key in _NAMES}
