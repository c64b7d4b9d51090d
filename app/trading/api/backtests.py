"""Starts backtests one after the other, each in its own process: none runs in the API's."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import Any

from trading.api.database import Database
from trading.errors import NotReady

MOST_WAITING = 8
_KEEP = 100

_INSERT = """
with old as (
  delete from trading.backtests where id in (
    select id from trading.backtests order by created_at desc offset %(keep)s)
)
insert into trading.backtests (request, release) values (%(request)s, %(release)s)
returning id::text
"""

# A run that has not reported for a minute has died with its machine.
STATUS = """
select json_build_object('id', id, 'state',
  case when state = 'RUNNING' and updated_at < clock_timestamp() - interval '1 minute'
    then 'LOST' else state end,
  'progress', json_build_object('days_done', days_done, 'days', days),
  'request', request, 'result', result, 'error', error, 'release', release,
  'created_at', created_at, 'updated_at', updated_at)::text
from trading.backtests where id = %(id)s::uuid
"""


class Backtests:
    """A queue of one place at work and a few waiting."""

    def __init__(self, database: Database, release: str) -> None:
        self._database = database
        self._release = release
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, request: dict[str, Any]) -> str:
        """Write the request and run it as soon as its turn comes; returns its id.

        Raises `NotReady` when too many are waiting.
        """
        if len(self._tasks) >= MOST_WAITING:
            raise NotReady(f"{MOST_WAITING} backtests are waiting already; try again later")
        values = {"request": json.dumps(request), "release": self._release, "keep": _KEEP}
        number: str = await self._database.fetch(_INSERT, values)
        task = asyncio.create_task(self._run(number))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return number

    async def close(self) -> None:
        """Stop what runs: a slot that ends leaves no process behind."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, number: str) -> None:
        async with self._one_at_a_time:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "trading.api.backtest_process", number),
                stdin=asyncio.subprocess.DEVNULL,
            )
            try:
                await process.wait()
            except asyncio.CancelledError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
                raise
