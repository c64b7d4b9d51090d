"""A few connections to PostgreSQL for the event loop, given out one at a time.

psycopg's own pool waits with growing pauses (up to minutes) after an outage; here a request simply
tries to connect, so the API is back with the first request after the database is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection

from trading.errors import DatabaseUnavailable, SchemaMissing

Result = TypeVar("Result")
Connection = AsyncConnection[Any]

MOST_CONNECTIONS = 4
CONNECT_SECONDS = 2
WAIT_SECONDS = 2.0


class Database:
    """At most `MOST_CONNECTIONS` connections in autocommit, the last used first."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: list[Connection] = []
        self._places = asyncio.Semaphore(MOST_CONNECTIONS)

    async def run(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Call `work` with a connection.

        `work` must be safe to repeat: a connection that broke since its last use (the database
        was restarted) is replaced and `work` runs again. Raises `DatabaseUnavailable` and
        `SchemaMissing` instead of psycopg's errors for a database that is down or empty.
        """
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._places.acquire()
        except TimeoutError as error:
            raise DatabaseUnavailable(
                f"all {MOST_CONNECTIONS} connections to the database are busy; try again"
            ) from error
        try:
            return await self._run(work)
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
            raise SchemaMissing(
                f"the database lacks a table: {error.diag.message_primary}; run: trading migrate up"
            ) from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise DatabaseUnavailable(f"the database does not answer: {_first(error)}") from error
        finally:
            self._places.release()

    async def fetch(
        self, query: str, values: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> Any:
        """The first column of the first row, None without rows."""

        async def work(connection: Connection) -> Any:
            cursor = await connection.execute(query, values)
            row = await cursor.fetchone()
            return row[0] if row else None

        return await self.run(work)

    async def _run(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        while self._idle:
            connection = self._idle.pop()
            try:
                return await self._use(connection, work)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                if not connection.closed:
                    raise
        return await self._use(await self.connect(), work)

    async def _use(
        self, connection: Connection, work: Callable[[Connection], Awaitable[Result]]
    ) -> Result:
        reusable = False
        try:
            result = await work(connection)
            reusable = True
            return result
        except psycopg.Error:
            reusable = not connection.closed
            raise
        finally:
            # A cancelled request leaves a connection in the middle of a statement.
            if reusable and connection.pgconn.transaction_status == 0:
                self._idle.append(connection)
            else:
                await connection.close()

    async def connect(self) -> Connection:
        """A connection of the caller's own, for example to listen on."""
        return await AsyncConnection.connect(
            self._url,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            application_name="trading api",
            prepare_threshold=2,
        )

    async def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            await self._idle.pop().close()


def _first(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
