"""The row `slipway.active`, followed: whether this slot is the one that takes traffic.

Where no file can be written for a process (on a cluster), the row itself is the word. Every change
of it is announced on the channel `slipway_active`; a look each second is the safety.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import AsyncConnection

from trading.settings import Settings

log = logging.getLogger("trading.traffic")

LOOK_SECONDS = 1.0
ANSWER_SECONDS = 2.0
"""A database that does not answer for so long is away, whatever its connection looks like."""

_SLOT = "select slot from slipway.active"


class TrafficRow:
    """`live` while the row names this slot.

    Idle until the first reading. While the database is away, the last word counts: losing the
    database must not take the live slot off the air.
    """

    def __init__(self, url: str, slot: str) -> None:
        self._url = url
        self._slot = slot
        self.live = False
        self._trouble = ""

    def read(self) -> bool:
        """What was last read; `follow` reads. For whoever is sent SIGUSR1 all the same."""
        return self.live

    def changed(self) -> bool:
        """Never: `follow` tells by itself."""
        return False

    async def follow(self, tell: Callable[[], None]) -> None:
        """Read for ever; calls `tell` after each change of `live`."""
        while True:
            try:
                await self._listen(tell)
            except (psycopg.Error, OSError, TimeoutError) as error:
                self._say_once(str(error).strip() or type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def _listen(self, tell: Callable[[], None]) -> None:
        async with asyncio.timeout(2 * ANSWER_SECONDS):
            connection = await AsyncConnection.connect(
                self._url,
                autocommit=True,
                connect_timeout=int(ANSWER_SECONDS),
                application_name=f"trading traffic {self._slot}",
            )
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await connection.execute("listen slipway_active")
            while True:
                await self._look(connection, tell)
                async for _ in connection.notifies(timeout=LOOK_SECONDS, stop_after=1):
                    pass
        finally:
            await connection.close()

    async def _look(self, connection: AsyncConnection[Any], tell: Callable[[], None]) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            row = await (await connection.execute(_SLOT)).fetchone()
        self._trouble = ""
        live = row is not None and row[0] == self._slot
        if live is not self.live:
            self.live = live
            log.info("the row says %s", self._word())
            tell()

    def _say_once(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            log.warning("the row cannot be read, so this stays %s: %s", self._word(), trouble)

    def _word(self) -> str:
        return "live" if self.live else "idle"


def traffic_row(settings: Settings) -> TrafficRow | None:
    """For a process that was told to follow the row; None for any other."""
    if not settings.follows_row:
        return None
    return TrafficRow(settings.need_database_url(), settings.slot)
