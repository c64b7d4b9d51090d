"""Orders that arrive together are accepted together: one transaction, each with its own answer.

The risk check makes orders wait for each other in the database. Written one by one, a process could
accept no more than one for each round trip and commit; so what arrives while one transaction runs
shares the next. An order that comes alone waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from trading.api.database import Connection, Database
from trading.errors import TradingError
from trading.orders.model import OrderRequest, SubmitResult
from trading.orders.service import Answer, submit_all
from trading.orders.validation import validate
from trading.values import RiskValues

MOST_TOGETHER = 100
CLOSE_SECONDS = 2.0


@dataclass(slots=True)
class _Waiting:
    request: OrderRequest
    answer: asyncio.Future[SubmitResult] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class OrderDesk:
    """One transaction at a time for each process."""

    def __init__(self, database: Database, limits: RiskValues, release: str) -> None:
        self._database = database
        self._limits = limits
        self._release = release
        self._queue: list[_Waiting] = []
        self._clerk: asyncio.Task[None] | None = None

    async def submit(self, request: OrderRequest) -> SubmitResult:
        """Check and write it. A caller that goes away leaves its order in its place.

        Raises `OrderInvalid`, `OrderConflict`, `DatabaseUnavailable`, `SchemaMissing`.
        """
        validate(request)
        waiting = _Waiting(request)
        self._queue.append(waiting)
        if self._clerk is None:
            self._clerk = asyncio.create_task(self._work())
        return await waiting.answer

    async def close(self) -> None:
        """Finish what is waiting, as far as the database lets us soon."""
        if self._clerk is not None:
            await asyncio.wait({self._clerk}, timeout=CLOSE_SECONDS)

    async def _work(self) -> None:
        try:
            while self._queue:
                together = self._queue[:MOST_TOGETHER]
                del self._queue[:MOST_TOGETHER]
                try:
                    await self._accept(together)
                finally:
                    _leave_nobody_waiting(together)
        finally:
            self._clerk = None

    async def _accept(self, together: Sequence[_Waiting]) -> None:
        try:
            answers = await self._write([waiting.request for waiting in together])
        except TradingError as error:
            for waiting in together:
                _tell(waiting, error)
        except Exception as error:
            if len(together) == 1:
                _tell(together[0], error)
                return
            # One that the database cannot even read must not be the end of its neighbours.
            for waiting in together:
                await self._accept([waiting])
        else:
            for waiting, answer in zip(together, answers, strict=True):
                _tell(waiting, answer)

    async def _write(self, requests: Sequence[OrderRequest]) -> list[Answer]:
        async def work(connection: Connection) -> list[Answer]:
            return await submit_all(
                connection, requests, limits=self._limits, release=self._release
            )

        return await self._database.run(work)


def _tell(waiting: _Waiting, answer: Answer | Exception) -> None:
    if waiting.answer.done():  # the caller went away
        return
    if isinstance(answer, SubmitResult):
        waiting.answer.set_result(answer)
    else:
        waiting.answer.set_exception(answer)


def _leave_nobody_waiting(together: Sequence[_Waiting]) -> None:
    """Only where this task itself is ended in the middle: the process stops."""
    for waiting in together:
        waiting.answer.cancel()
