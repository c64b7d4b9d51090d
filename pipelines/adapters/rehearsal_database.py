"""The database of a rehearsal: restored from a backup, or a copy of generated rows.

Implements stages.rehearsal_protocol.Rehearsals.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pipelines.adapters.postgres_backup import (
    all_backups,
    folder_bytes,
    require_room,
    require_whole,
)
from pipelines.adapters.postgres_restore import SPARE_BYTES
from pipelines.adapters.postgres_server import clean_environment, explain, postgres
from pipelines.adapters.process import run_limited
from pipelines.adapters.rehearsal_process import started
from pipelines.adapters.rehearsal_server import ScratchServer, disk_words, scratch_server
from pipelines.adapters.rehearsal_templates import Templates
from pipelines.adapters.rows import PostgresRows, connect, first_line
from pipelines.model.errors import SlipwayError, Unavailable
from pipelines.model.live import Handover
from pipelines.model.slots import Slot
from pipelines.stages.rehearsal_protocol import BackupCopy, Database, Running
from pipelines.targets.local.layout import Installation, Layout, write_atomically

ORDER = ("production", "staging", "dev")
"""Of whose backups the first that has one is taken."""
RECOVERY_SECONDS = 120
DUMP_SECONDS = 60.0
GENERATING_BYTES = 1024 * 1024 * 1024
"""Half a million rows with their indexes and the log of writing them, and room to spare."""
_NOISE = re.compile(r"^(--.*|\\(un)?restrict .*|)$")
_NOTED = "applied-"
_TABLE = re.compile(r"^CREATE (UNLOGGED |FOREIGN )?TABLE .*\($")
_COUNTS = """
select format('select count(*) from only %I.%I', n.nspname, c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname not in ('information_schema', 'slipway')
  and n.nspname !~ '^pg_'
"""


def newest_backup(state: Path) -> BackupCopy | None:
    """The newest one of the first environment that has any; None without an installation."""
    if not (state / "installation.json").exists():
        return None
    installation = Installation.load(state)
    for environment in ORDER:
        if found := all_backups(installation.layout(environment).backups):
            return BackupCopy(environment, found[-1].name)
    return None


class LocalRehearsals:
    """`state`: of the installation whose backups are used, None where there is none. `cache`: where
    generated copies are kept."""

    def __init__(self, state: Path | None, cache: Path) -> None:
        self._state, self._cache = state, cache
        self._templates = Templates(cache)

    @contextmanager
    def restored(self, folder: Path, backup: BackupCopy) -> Iterator[Database]:
        if self._state is None:
            raise Unavailable(f"there is no installation with the backup {backup}")
        backups = Installation.load(self._state).layout(backup.environment).backups
        require_whole(backups, backup.name)
        source = backups / backup.name / "data"
        with _copied(source, folder, "restoring the backup") as (server, layout):
            server.start(seconds=RECOVERY_SECONDS)
            yield _prepared(layout)

    @contextmanager
    def generated(
        self, folder: Path, key: str, fill: Callable[[Database], None]
    ) -> Iterator[Database]:
        with ExitStack() as stack:
            with self._templates.made(key, lambda at: _make(at, fill)) as template:
                copied = _copied(template / "data", folder, "copying the generated rows")
                server, layout = stack.enter_context(copied)
            server.start()
            yield LocalDatabase(layout)

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        variables: Mapping[str, str],
        sockets: Sequence[str] = (),
    ) -> AbstractContextManager[Running]:
        return started(argv, folder=folder, variables=variables, sockets=sockets)

    def recall(self, backup: BackupCopy) -> tuple[str, ...] | None:
        try:
            said = json.loads(self._noted(backup).read_text())
        except (OSError, ValueError):
            return None
        return tuple(map(str, said)) if isinstance(said, list) else None

    def remember(self, backup: BackupCopy, applied: Sequence[str]) -> None:
        """Of one backup an environment: only the newest is ever asked about."""
        path = self._noted(backup)
        for old in path.parent.glob(f"{_NOTED}{backup.environment}-*"):
            old.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(list(applied)), durable=False)

    def _noted(self, backup: BackupCopy) -> Path:
        return self._cache / f"{_NOTED}{backup.environment}-{backup.name}.json"


class LocalDatabase:
    """Implements Database on a running scratch server."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    @property
    def url(self) -> str:
        return self._layout.database_url.partition("&passfile")[0]

    def activate(self, release: str) -> None:
        rows = PostgresRows(self._layout)
        try:
            if rows.read().row is None:
                rows.switch(
                    Handover(
                        *(Slot.BLUE, release, "rehearsal", "rehearsal", 1, 0),
                        confirm_by=None,
                        published=True,
                        reason="rehearsal",
                    )
                )
        finally:
            rows.close()

    def schema(self) -> str:
        code, output, errors = run_limited(
            postgres(
                *("pg_dump", "--schema-only", "--no-comments", "-w"),
                *("-h", str(self._layout.runtime), "-U", "slipway", "trading"),
            ),
            clean_environment(),
            DUMP_SECONDS,
        )
        if code != 0:
            raise explain("reading the schema of the copy", code, errors + output)
        return normalised(output)

    def rows(self) -> int:
        return sum(int(self._ask(count)[0][0]) for (count,) in self._ask(_COUNTS))

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        import psycopg

        try:
            with connect(self._layout.runtime, self._layout.admin_passfile) as connection:
                connection.execute("set statement_timeout = '60s'")
                return connection.execute(query.encode()).fetchall()
        except psycopg.Error as error:
            raise Unavailable(f"the copy does not answer: {first_line(error)}") from None


def normalised(dump: str) -> str:
    """Without comments and what is random, and with the lines of each table in order of their
    words: a column that is taken back stands at the end, which no migration can help."""
    lines: list[str] = []
    table: list[str] | None = None
    for line in dump.splitlines():
        if _NOISE.match(line):
            continue
        if table is not None and line.startswith(")"):
            lines += [*sorted(table), line]
            table = None
        elif table is not None:
            table.append(line.rstrip(","))
        else:
            lines.append(line)
            table = [] if _TABLE.match(line) else None
    return "\n".join(lines) + "\n"


@contextmanager
def _copied(source: Path, folder: Path, action: str) -> Iterator[tuple[ScratchServer, Layout]]:
    """A copy of a data folder, on the disk, with a server that is not started yet."""
    require_room(folder, folder_bytes(source) + SPARE_BYTES, action)
    with scratch_server(folder) as (server, layout):
        try:
            shutil.copytree(source, server.data, symlinks=True)
            server.data.chmod(0o700)
        except shutil.Error as error:
            raise explain(action, 1, str(error)) from None
        except OSError as error:
            raise disk_words(action, error) from None
        server.sync()
        server.configure()
        yield server, layout


def _make(folder: Path, fill: Callable[[Database], None]) -> None:
    """Into `folder`/data: an empty database, filled, at rest, on the disk."""
    require_room(folder, GENERATING_BYTES, "generating rows")
    with scratch_server(folder) as (server, layout):
        server.initialise(folder / "passfile")
        server.configure(fast=True)
        server.start()
        fill(_prepared(layout))
        _vacuum(layout)
        server.stop()
        server.sync()
        server.data.rename(folder / "whole")
    (folder / "whole").rename(folder / "data")


def _vacuum(layout: Layout) -> None:
    """Otherwise the first readers of each copy would write what every row's first reader does."""
    with connect(layout.runtime, layout.admin_passfile) as connection:
        connection.execute("set statement_timeout = '120s'")
        connection.execute("vacuum (freeze, analyze)")
        connection.execute("checkpoint")


def _prepared(layout: Layout) -> LocalDatabase:
    rows = PostgresRows(layout)
    try:
        rows.apply_schema()
    except SlipwayError as error:
        raise Unavailable(f"the copy cannot be prepared: {error.message}") from None
    finally:
        rows.close()
    return LocalDatabase(layout)
