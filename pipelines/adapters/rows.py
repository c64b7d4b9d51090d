"""Schema `slipway` over the engine's own connection; every call has a time limit of its own.

The server's statement_timeout does not help against a server that is stopped or hangs on its disk,
so a timer closes the connection's socket from this side.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.adapters.postgres_server import make_passfile
from pipelines.model.branch import ActiveRow, RowReading
from pipelines.model.errors import Refused, StaleToken, Unavailable
from pipelines.model.live import Handover
from pipelines.model.slots import Slot
from pipelines.targets.local.layout import Layout

if TYPE_CHECKING:
    import psycopg

CALL_SECONDS = 3.0
COLUMNS = (
    "slot, release, epoch, operation, commit, state, confirm_by, token, previous_slot,"
    " previous_release, published, reason, changed_at"
)
SWITCH = f"""select {COLUMNS} from slipway.switch(%(slot)s, %(release)s, %(operation)s, %(commit)s,
 %(token)s, %(expect_epoch)s, %(state)s, %(confirm_by)s, %(published)s, %(reason)s)"""  # noqa: S608
APPLIED = b"select obj_description(to_regnamespace('slipway'), 'pg_namespace')"
EXISTING = """
select (select 1 from pg_roles where rolname = 'trading'),
       (select 1 from pg_database where datname = 'trading')
"""
GRANTS = """
grant usage on schema slipway to trading;
grant select, insert, update, delete on all tables in schema slipway to trading;
grant execute on all functions in schema slipway to trading;
"""


def connect(
    sockets: Path, passfile: Path, database: str = "trading"
) -> psycopg.Connection[tuple[Any, ...]]:
    """Raises psycopg.OperationalError."""
    import psycopg  # 0.3 s to import; not needed where the application moves the row

    return psycopg.connect(
        host=str(sockets),
        user="slipway",
        dbname=database,
        passfile=str(passfile),
        connect_timeout=2,
        autocommit=True,
        application_name="slipway",
        options=f"-c statement_timeout={int(CALL_SECONDS * 1000)} -c lock_timeout=2000",
    )


@contextmanager
def limited(connection: psycopg.Connection[Any], seconds: float) -> Iterator[None]:
    """After `seconds` the connection breaks, whatever the server does."""
    # A copy of the descriptor: the connection may close its own and the number be reused.
    with socket.socket(fileno=os.dup(connection.fileno())) as stream:

        def cut() -> None:
            with suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


class PostgresRows:
    """Implements ports.Rows. One connection, made at need, made again after an error."""

    grants = GRANTS

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Raises psycopg.OperationalError."""
        return connect(self.layout.runtime, self.layout.admin_passfile)

    def apply_schema(self) -> None:
        """Role and database `trading`, schema `slipway`. Running it again changes nothing."""
        import psycopg

        try:
            self._make_database()
            schema = self._schema()
            digest = hashlib.sha256((schema + self.grants).encode()).hexdigest()
            # Not applied twice: its trigger would wait for, and stop, a switch in the middle.
            if self._ask(APPLIED, None) != [(digest,)]:
                mark = f"comment on schema slipway is '{digest}'"
                self._ask(f"begin; {schema} {self.grants} {mark}; commit".encode(), None)
        except psycopg.Error as error:
            raise Unavailable(f"cannot prepare the database: {first_line(error)}") from None

    def _schema(self) -> str:
        return resources.files("pipelines.targets.local").joinpath("active.sql").read_text()

    def _make_database(self) -> None:
        from psycopg import sql

        layout = self.layout
        password = make_passfile(layout.application_passfile, "trading")
        admin = connect(layout.runtime, layout.admin_passfile, "postgres")
        with admin as connection, limited(connection, 4 * CALL_SECONDS):
            role, database = connection.execute(EXISTING).fetchone() or (None, None)
            if role is None:
                # Hashed here: the password itself never reaches the server's log.
                secret = connection.pgconn.encrypt_password(
                    password.encode(), b"trading", b"scram-sha-256"
                ).decode()
                connection.execute(sql.SQL("create role trading login password {}").format(secret))
            if database is None:
                connection.execute("create database trading owner trading")

    def read(self) -> RowReading:
        try:
            found = self._ask(f"select {COLUMNS} from slipway.active".encode(), None)  # noqa: S608
        except Exception as error:
            return RowReading(down=True, detail=first_line(error))
        return RowReading(row=to_row(found[0]) if found else None)

    def switch(self, request: Handover) -> ActiveRow:
        found = self._change(SWITCH, asdict(request) | {"state": request.state})
        return to_row(found[0])

    def confirm(self, operation: str, token: int) -> None:
        self._change("select slipway.confirm(%(o)s, %(t)s)", {"o": operation, "t": token})

    def published(self, operation: str, token: int) -> None:
        self._change("select slipway.published(%(o)s, %(t)s)", {"o": operation, "t": token})

    def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()

    def _change(self, query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        import psycopg

        try:
            return self._ask(query.encode(), parameters)
        except psycopg.OperationalError as error:
            raise Unavailable(f"the database does not answer: {first_line(error)}") from None
        except psycopg.Error as error:
            raise refusal(error.sqlstate or "", first_line(error)) from None

    def _ask(self, query: bytes, parameters: dict[str, Any] | None) -> list[tuple[Any, ...]]:
        import psycopg

        began = time.monotonic()
        if self.connection is None or self.connection.closed:
            self.connection = self._connect()
            fresh = True
        else:
            fresh = False
        try:
            with limited(self.connection, CALL_SECONDS):
                cursor = self.connection.execute(query, parameters)
                return cursor.fetchall() if cursor.description else []
        except psycopg.OperationalError:
            self.close()
            # The server was started again since the last call: ask the new one. (Every statement
            # here is idempotent.) A server that does not answer is not asked twice.
            if fresh or time.monotonic() - began > CALL_SECONDS / 2:
                raise
            return self._ask(query, parameters)


def refusal(state: str, words: str) -> Exception:
    if state == "SW001" or "STALE_TOKEN" in words:
        return StaleToken(words, hint="a newer operation has taken the environment over")
    if state.startswith("SW") or "STALE_EPOCH" in words:
        return Refused(words, hint="somebody switched meanwhile; look at: slipway status")
    return Unavailable(f"the database refused: {words}")


def to_row(values: Sequence[Any]) -> ActiveRow:
    (
        slot,
        release,
        epoch,
        operation,
        commit,
        state,
        confirm_by,
        token,
        previous_slot,
        previous_release,
        published,
        reason,
        changed_at,
    ) = values
    return ActiveRow(
        slot=Slot(slot),
        release=release,
        epoch=epoch,
        operation=operation,
        commit=commit,
        state=state,
        confirm_by=confirm_by,
        token=token,
        previous_slot=Slot(previous_slot) if previous_slot else None,
        previous_release=previous_release,
        published=published,
        reason=reason,
        changed_at=changed_at,
    )


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
