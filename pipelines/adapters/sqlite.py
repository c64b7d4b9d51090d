"""The records' database: one SQLite file per environment, durable at every commit.

WAL: readers never wait for the writer. synchronous=FULL: what a transaction wrote survives power
loss. Safe between processes, threads, and after a fork.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipelines.adapters.machine import LinuxMachine
from pipelines.model.errors import NeedsPerson, SlipwayError, Unavailable
from pipelines.records import jobs_schema, schema
from pipelines.records.audit import SqliteAudit
from pipelines.records.failpoints import Failpoints
from pipelines.records.freeze import SqliteFreeze
from pipelines.records.jobs import Jobs
from pipelines.records.journal import SqliteJournal
from pipelines.records.lock import SqliteLock
from pipelines.records.machine import Machine
from pipelines.records.protocols import Records
from pipelines.records.store import Row

_BUSY_SECONDS = 5.0


def open_records(state: Path, environment: str, machine: Machine | None = None) -> Records:
    """All records of an environment; the file is made when it is not there (folder and file for
    their owner only). Raises Unavailable when the state folder cannot be written."""
    machine = machine or LinuxMachine()
    store = SqliteStore(state / "environments" / environment / "records.sqlite")
    failpoints = Failpoints(state, environment)
    return Records(
        lock=SqliteLock(store, machine, environment),
        journal=SqliteJournal(store, machine, failpoints.reach),
        audit=SqliteAudit(store, machine, environment),
        freeze=SqliteFreeze(store, machine),
    )


def open_jobs(state: Path, machine: Machine | None = None) -> Jobs:
    """The jobs of an installation. Raises Unavailable as `open_records` does."""
    store = SqliteStore(state / "jobs.sqlite", jobs_schema.TABLES, jobs_schema.VERSION)
    return Jobs(store, machine or LinuxMachine())


class SqliteStore:
    """`records.store.Store` over one file."""

    def __init__(
        self, path: Path, tables: str = schema.TABLES, version: int = schema.VERSION
    ) -> None:
        self._path = path
        self._tables, self._version = tables, version
        self._guard = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        with _translated(path):
            self._own()
        _stores.add(self)

    @contextmanager
    def write(self) -> Iterator[_Statements]:
        with self._guard, _translated(self._path):
            connection = self._own()
            connection.execute("begin immediate")
            try:
                yield _Statements(connection)
            except BaseException:
                connection.execute("rollback")
                raise
            try:
                connection.execute("commit")
            except sqlite3.Error:
                if connection.in_transaction:
                    connection.execute("rollback")
                raise

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        with self._guard, _translated(self._path):
            return self._own().execute(sql, parameters).fetchall()

    def _own(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
            # Python's connection refers to itself: left alone it stays open until the collector comes.
            weakref.finalize(self, self._connection.close).atexit = False
        return self._connection

    def before_fork(self) -> None:
        """What SQLite knows of a process's locks goes with a fork, the locks do not: a child would
        write without any, even over a connection of its own. So none is open then."""
        self._guard.acquire()
        if self._connection is not None and not self._connection.in_transaction:
            self._connection.close()
            self._connection = None

    def after_fork(self) -> None:
        self._guard.release()

    def _connect(self) -> sqlite3.Connection:
        if not self._path.exists():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("pragma synchronous = full")
        if connection.execute("pragma user_version").fetchone()[0] < self._version:
            _create(connection, self._tables, self._version)
        return connection


_stores: weakref.WeakSet[SqliteStore] = weakref.WeakSet()
_forking: list[SqliteStore] = []


def _before_fork() -> None:
    _forking.extend(_stores)
    for store in _forking:
        store.before_fork()


def _after_fork() -> None:
    while _forking:
        _forking.pop().after_fork()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


class _Statements:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()


def _create(connection: sqlite3.Connection, tables: str, version: int) -> None:
    """Tables and version appear together, so a crash in between leaves an empty file."""
    _switch_to_wal(connection)
    # nosec B608 - the tables are constants of the records
    connection.executescript(f"begin immediate; {tables}; pragma user_version = {version}; commit;")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Two processes that make the file at the same time: SQLite does not wait here by itself."""
    give_up = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.02)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors in the engine's words."""
    try:
        yield
    except SlipwayError:
        raise
    except sqlite3.IntegrityError as error:
        raise NeedsPerson(f"{path} refused a write: {error}") from error
    except sqlite3.OperationalError as error:
        raise Unavailable(
            f"the records {path} cannot be used: {error}",
            hint="is the disk full or the state folder read-only? See `slipway doctor`",
        ) from error
    except sqlite3.DatabaseError as error:
        raise NeedsPerson(
            f"the records {path} are damaged: {error}",
            hint="keep the file, put a copy of it back or move it away; then `slipway doctor`",
        ) from error
    except OSError as error:
        raise Unavailable(
            f"the records {path} cannot be used: {error.strerror}",
            hint="is the disk full or the state folder read-only? See `slipway doctor`",
        ) from error
