"""The stream of events: one listener a process, handed on to every WebSocket.

Numbers of `trading.events` become visible in order, so "greater than the last one" is complete.
A client that joins reads what it missed from the table, then follows the hub; both are filtered by
the last number it was sent, so nothing is lost or repeated where they meet.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Any

import psycopg

from trading.api.database import Database
from trading.errors import TradingError

PAGE = 500
MOST_WAITING = 5000
RECONNECT_SECONDS = 0.25

Numbered = tuple[int, str]

AFTER = f"""
select seq, json_build_object('type', 'event', 'seq', seq, 'kind', kind, 'at', at,
  'payload', payload)::text
from trading.events where seq > %s order by seq limit {PAGE}
"""
BOUNDS = """select coalesce(min(seq), 0), coalesce(max(seq), 0) from trading.events"""


class Subscriber:
    """One WebSocket. `last`: number of the newest event it was sent."""

    __slots__ = ("draining", "last", "overrun", "waiting", "wake")

    def __init__(self, last: int) -> None:
        self.last = last
        self.waiting: deque[Numbered] = deque()
        self.wake = asyncio.Event()
        self.draining = False
        self.overrun = False

    def push(self, events: list[Numbered]) -> None:
        """Queue events; a client too slow to take them is cut off rather than kept in memory."""
        if len(self.waiting) + len(events) > MOST_WAITING:
            self.overrun = True
        else:
            self.waiting.extend(events)
        self.wake.set()

    def drain(self) -> None:
        """Tell the client to come back: the slot that this connection leads to is leaving."""
        self.draining = True
        self.wake.set()


class Hub:
    """Reads each new event once and queues it for every subscriber.

    Listens only while somebody does: an idle process holds no connection for it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._subscribers: set[Subscriber] = set()
        self._task: asyncio.Task[None] | None = None
        self._last = 0
        self._listening = asyncio.Event()

    async def join(self, subscriber: Subscriber) -> None:
        """Queue every event from now on. Returns when the process listens."""
        self._subscribers.add(subscriber)
        if self._task is None:
            self._listening.clear()
            self._task = asyncio.create_task(self._keep_listening())
        async with asyncio.timeout(5):
            await self._listening.wait()

    def leave(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)
        if not self._subscribers and self._task is not None:
            self._task.cancel()
            self._task = None

    def __len__(self) -> int:
        return len(self._subscribers)

    async def bounds(self) -> tuple[int, int]:
        """The oldest and the newest event in the table."""

        async def work(connection: Any) -> tuple[int, int]:
            row = await (await connection.execute(BOUNDS)).fetchone()
            return int(row[0]), int(row[1])

        return await self._database.run(work)

    async def after(self, number: int) -> list[Numbered]:
        """The next page of events after `number`, oldest first."""

        async def work(connection: Any) -> list[Numbered]:
            return await (await connection.execute(AFTER, (number,))).fetchall()  # type: ignore[no-any-return]

        return await self._database.run(work)

    async def _keep_listening(self) -> None:
        _, self._last = 0, 0
        while True:
            with contextlib.suppress(psycopg.Error, TradingError, OSError):
                await self._listen()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        connection = await self._database.connect()
        try:
            await connection.execute("listen trading_events")
            await connection.execute("listen slipway_active")
            if not self._listening.is_set():
                _, self._last = await self.bounds()
                self._listening.set()
            await self._hand_on()
            async for notice in connection.notifies():
                if notice.channel == "slipway_active":
                    self._push([(0, '{"type":"active"}')])
                elif int(notice.payload) > self._last:
                    await self._hand_on()
        finally:
            await connection.close()

    async def _hand_on(self) -> None:
        while events := await self.after(self._last):
            self._last = events[-1][0]
            self._push(events)
            if len(events) < PAGE:
                return

    def _push(self, events: list[Numbered]) -> None:
        for subscriber in self._subscribers:
            subscriber.push(events)
