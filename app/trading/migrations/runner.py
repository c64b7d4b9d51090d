"""Applying migrations: one at a time, each with its ledger row in the same transaction.

Killed at any point, the next run goes on where this one stopped: a transactional script is there
with its row or not at all; the statements of another one are safe to repeat. A lock that is not
granted in 100 ms is given up and tried again, so that no reader ever waits behind a migration.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import psycopg
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from trading.errors import DatabaseUnavailable, LockTimeout, MigrationFailed
from trading.migrations.ledger import ACTIVE_SQL
from trading.migrations.scripts import Script, scripts
from trading.migrations.versions_loader import module_of

LOCK_TIMEOUT_MS = 100
_LOCK_NOT_AVAILABLE = "55P03"
_ONE_RUNNER = "select pg_try_advisory_lock(hashtext('slipway.migrations'))"


def up(
    database_url: str,
    kind: Literal["expand", "contract"] = "expand",
    *,
    release: str,
    patience_seconds: float = 30.0,
) -> list[str]:
    """Apply what is pending of `kind`; return the revisions applied now, in order.

    While nothing was ever active, `expand` applies every kind: there is no old code that a contract
    step could take something from.

    Raises `DatabaseUnavailable`, `LockTimeout` after `patience_seconds` of trying, and
    `MigrationFailed` also when an earlier pending step of the other kind stands in the way.
    """
    deadline = time.monotonic() + patience_seconds
    with _connected(database_url) as connection:
        _become_the_runner(connection, deadline)
        _retried(lambda: _run_active_sql(connection), deadline, "slipway.active")
        done = _applied(connection)
        everything = kind == "expand" and _nothing_was_ever_active(connection)
        now: list[str] = []
        blocked: Script | None = None
        for script in scripts():
            if script.revision in done:
                continue
            if script.kind != kind and not everything:
                blocked = blocked or script
                continue
            if blocked is not None:
                raise MigrationFailed(
                    f"{script.revision} comes after {blocked.revision}, which is pending; run: "
                    f"trading migrate up --kind {blocked.kind}",
                    revision=script.revision,
                    blocked_by=blocked.revision,
                )
            _apply(connection, script, release, deadline)
            now.append(script.revision)
        return now


def down(database_url: str, to: str, *, patience_seconds: float = 30.0) -> list[str]:
    """Undo, newest first, everything applied after revision `to` (`base`: everything).

    Uses the scripts in the ledger, so it also undoes what this release does not know.
    Raises `MigrationFailed` when `to` is not applied.
    """
    deadline = time.monotonic() + patience_seconds
    with _connected(database_url) as connection:
        _become_the_runner(connection, deadline)
        _retried(lambda: _run_active_sql(connection), deadline, "slipway.active")
        done = _applied(connection)
        if to != "base" and to not in done:
            raise MigrationFailed(
                f"{to!r} is not applied here; applied: {', '.join(done) or 'nothing'}", to=to
            )
        keep = 0 if to == "base" else done.index(to) + 1
        undone = list(reversed(done[keep:]))
        for revision in undone:
            _retried(lambda r=revision: _undo(connection, r), deadline, revision)  # type: ignore[misc]
        return undone


@contextmanager
def _connected(database_url: str) -> Iterator[Connection]:
    url = database_url.replace("postgres://", "postgresql://", 1)
    engine: Engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: _psycopg_connect(url),
        poolclass=NullPool,
    )
    try:
        with engine.connect() as connection:
            yield connection
    except OperationalError as error:
        raise DatabaseUnavailable(f"the database does not answer: {error.orig}") from error
    except (DBAPIError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise MigrationFailed(f"{cause}".strip()) from error
    finally:
        engine.dispose()


def _psycopg_connect(url: str) -> object:
    return psycopg.connect(url, connect_timeout=5, application_name="trading migrate")


def _become_the_runner(connection: Connection, deadline: float) -> None:
    """A session lock: it ends with the connection, also when this process is killed."""
    while not connection.execute(text(_ONE_RUNNER)).scalar():
        connection.rollback()
        if time.monotonic() > deadline:
            raise LockTimeout("another migration is running; wait for it and try again")
        time.sleep(0.2)
    connection.commit()


def _retried(attempt: Callable[[], None], deadline: float, what: str) -> None:
    pause = 0.05
    while True:
        try:
            return attempt()
        except (DBAPIError, psycopg.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if getattr(cause, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
                raise
            if time.monotonic() + pause > deadline:
                raise LockTimeout(
                    f"{what}: no lock within {LOCK_TIMEOUT_MS} ms, many times; find the long "
                    "transaction in pg_stat_activity and try again",
                    revision=what,
                ) from error
        time.sleep(pause)
        pause = min(pause * 2, 1.0)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(f"set local lock_timeout = '{LOCK_TIMEOUT_MS}ms'")


def _run_active_sql(connection: Connection) -> None:
    """Schema `slipway`, unless a delivery engine owns it and lets this role only use it."""
    with connection.begin():
        _begin(connection)
        owned_by_us = connection.scalar(
            text(
                "select pg_get_userbyid(nspowner) = current_user"
                " from pg_namespace where nspname = 'slipway'"
            )
        )
        if owned_by_us is False:
            return
        _driver(connection).execute(ACTIVE_SQL.read_text(encoding="utf-8"))


def _applied(connection: Connection) -> list[str]:
    with connection.begin():
        rows = connection.execute(
            text("select revision from slipway.migrations order by applied_at, revision")
        )
        return [row[0] for row in rows]


def _nothing_was_ever_active(connection: Connection) -> bool:
    with connection.begin():
        return not connection.scalar(text("select count(*) from slipway.active"))


def _apply(connection: Connection, script: Script, release: str, deadline: float) -> None:
    if not script.transactional:
        for statement in script.up.split("--next"):
            _retried(lambda s=statement: _alone(connection, s), deadline, script.revision)  # type: ignore[misc]
    _retried(lambda: _apply_once(connection, script, release), deadline, script.revision)


def _apply_once(connection: Connection, script: Script, release: str) -> None:
    with connection.begin():
        _begin(connection)
        if script.transactional:
            with Operations.context(MigrationContext.configure(connection)):
                module_of(script.revision).upgrade()
        connection.execute(
            text(
                "insert into slipway.migrations (revision, kind, sha256, script, down_script, "
                "applied_by_release) values (:revision, :kind, :sha256, :up, :down, :release)"
            ),
            {
                "revision": script.revision,
                "kind": script.kind,
                "sha256": script.sha256,
                "up": script.up,
                "down": script.down,
                "release": release,
            },
        )


def _driver(connection: Connection) -> Any:
    """psycopg itself: a script with `%` in it is no pattern to be filled in."""
    return connection.connection.driver_connection


def _alone(connection: Connection, statement: str) -> None:
    """Outside a transaction, e.g. `create index concurrently if not exists`."""
    driver = _driver(connection)
    driver.autocommit = True
    try:
        driver.execute(f"set lock_timeout = '{LOCK_TIMEOUT_MS}ms'")
        driver.execute(statement)
    finally:
        driver.autocommit = False


def _undo(connection: Connection, revision: str) -> None:
    with connection.begin():
        _begin(connection)
        script = connection.execute(
            text("select down_script from slipway.migrations where revision = :revision"),
            {"revision": revision},
        ).scalar_one()
        _driver(connection).execute(script)
        connection.execute(
            text("delete from slipway.migrations where revision = :revision"),
            {"revision": revision},
        )
