"""The live loop: stand by, take the lease, reconcile, trade, and stop the moment it is lost.

Standing by, it listens for the switch (a timer of a second is the safety), keeps its strategies
warm and its connections open. Leading, three tasks run until one of them finds the token stale:
orders to the venue, trading days, a sign of life.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection

from trading.control import lease as leases
from trading.control.lease import Lease
from trading.control.live_day import LiveDay
from trading.control.reconciliation import Reconciler
from trading.errors import FencingTokenStale, LeaseLost, SendOutcomeUnknown, VenueUnavailable
from trading.orders.journal import Journal
from trading.orders.pump import Pump
from trading.venues.client import VenueClient

log = logging.getLogger("trading.trader")

_COALESCE_SECONDS = 0.02
_TIMER_SECONDS = 1.0
_BEAT_SECONDS = 1.5
_FOLLOW_SECONDS = 5.0
_RETRY_SECONDS = 0.5
_RATE_SECONDS = 1.0


@dataclass(slots=True)
class Facts:
    """What the trader's endpoint shows."""

    holding: bool = False
    token: str = ""
    orders_sent: int = 0
    days: int = 0
    takeovers: int = 0
    takeover_seconds: float = 0.0
    unknown_resolved: int = 0
    database_ok: bool = False
    database_message: str = "not connected yet"
    venue_ok: bool = False
    venue_message: str = "not asked yet"
    warm: bool = False
    last_error: str = ""
    schema: list[str] = field(default_factory=list)


class Connections:
    """Two of its own: orders go through one, listening through the other."""

    def __init__(self, url: str, slot: str) -> None:
        self._url = url
        self._name = f"trading trader {slot}"
        self.main: AsyncConnection[Any]
        self.listener: AsyncConnection[Any]

    async def open(self) -> None:
        self.main = await self._connect()
        self.listener = await self._connect()
        await self.listener.execute("listen slipway_active")
        await self.listener.execute("listen trading_orders")

    async def close(self) -> None:
        for name in ("main", "listener"):
            connection = getattr(self, name, None)
            if connection is not None:
                with contextlib.suppress(psycopg.Error, OSError):
                    await connection.close()

    async def _connect(self) -> AsyncConnection[Any]:
        connection = await AsyncConnection.connect(
            self._url, autocommit=True, connect_timeout=3, application_name=self._name
        )
        # What a statement of ours locks must not outlive our attention for long.
        await connection.execute("set idle_in_transaction_session_timeout = '1s'")
        await connection.execute("set lock_timeout = '2s'")
        return connection


class Trader:
    def __init__(
        self,
        slot: str,
        release: str,
        connections: Connections,
        venue: VenueClient,
        live_day: LiveDay,
        seconds_per_day: float,
        holder: UUID,
        replace: bool,
        facts: Facts,
    ) -> None:
        """`replace`: take the lease from whoever traded in this slot before; once a process."""
        self._slot = slot
        self._release = release
        self._db = connections
        self._venue = venue
        self._day = live_day
        self._seconds_per_day = seconds_per_day
        self._holder = holder
        self._replace = replace
        self._behind = False
        self._listening: asyncio.Task[None]
        self._orders = asyncio.Event()
        self._switch = asyncio.Event()
        self.facts = facts

    async def run(self) -> None:
        """Until cancelled, or until the database connection breaks (psycopg's errors)."""
        self.facts.database_ok, self.facts.database_message = True, ""
        self._listening = asyncio.create_task(self._listen())
        try:
            while True:
                lease = await self._stand_by()
                try:
                    # In a task of its own: before Python 3.11.4 a task group that fails leaves its
                    # task marked as cancelled, and the next time-out in it would end the process.
                    await asyncio.create_task(self._lead(lease))
                except* (LeaseLost, FencingTokenStale) as group:
                    log.warning("standing by: %s", group.exceptions[0])
                    self.facts.last_error = str(group.exceptions[0])
                except* (VenueUnavailable, SendOutcomeUnknown) as group:
                    # The lease stays ours in the database; taking it again, with a new token, is
                    # the way to reconcile what was under way.
                    log.warning("the venue is away: %s", group.exceptions[0])
                    self.facts.venue_ok = False
                    self.facts.venue_message = str(group.exceptions[0])
                    await self._venue_is_back()
                finally:
                    self.facts.holding = False
        finally:
            self._listening.cancel()

    async def _listen(self) -> None:
        async for notify in self._db.listener.notifies():
            (self._switch if notify.channel == "slipway_active" else self._orders).set()

    async def _venue_is_back(self) -> None:
        await asyncio.sleep(_RETRY_SECONDS)
        while not await self._venue.alive():
            self._still_listening()
            await asyncio.sleep(_RETRY_SECONDS)

    def _still_listening(self) -> None:
        """Raises what ended the listening connection: then everything begins again."""
        if self._listening.done():
            self._listening.result()
            raise psycopg.OperationalError("the listening connection ended")

    async def _stand_by(self) -> Lease:
        """Wait until this slot may trade. A process takes from its predecessor only once."""
        followed_at = time.monotonic()
        if not self.facts.warm:
            await asyncio.to_thread(self._day.follow)
            self.facts.warm = True
        while True:
            self._still_listening()
            self._switch.clear()
            lease = await leases.take(
                self._db.main, self._slot, self._holder, replace=self._replace
            )
            self._replace = False
            if lease is not None:
                return lease
            if time.monotonic() - followed_at >= _FOLLOW_SECONDS:
                await asyncio.to_thread(self._day.follow)
                followed_at = time.monotonic()
            await _wait(self._switch, _TIMER_SECONDS)

    async def _lead(self, lease: Lease) -> None:
        started = time.monotonic()
        self._venue.token = lease.token
        journal = Journal(self._db.main, lease)
        pump = Pump(self._db.main, journal, self._venue)
        reconciler = Reconciler(self._db.main, journal, self._venue, pump, self._release)
        await reconciler.start()
        self.facts.venue_ok, self.facts.venue_message = True, ""
        self.facts.holding, self.facts.token = True, lease.token
        self.facts.takeovers += 1
        self.facts.takeover_seconds = time.monotonic() - started
        log.info(
            "trading with token %s after %.0f ms", lease.token, 1000 * self.facts.takeover_seconds
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pump_orders(pump))
            tasks.create_task(self._trade_days(lease, reconciler))
            tasks.create_task(self._beat(lease))

    async def _pump_orders(self, pump: Pump) -> None:
        self._orders.set()
        while True:
            await _wait(self._orders, _TIMER_SECONDS)
            await asyncio.sleep(_COALESCE_SECONDS)  # orders of the next moments share a batch
            self._orders.clear()
            owed = await pump.run_once()
            self.facts.orders_sent += pump.sent
            self.facts.unknown_resolved += pump.unknown
            pump.sent = pump.unknown = 0
            if owed:
                await asyncio.sleep(_RETRY_SECONDS)
                self._orders.set()

    async def _trade_days(self, lease: Lease, reconciler: Reconciler) -> None:
        due = time.monotonic()
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if not await self._one_day(lease, reconciler):
                await asyncio.sleep(0.05)
            elif not self._behind:  # else the venue is ahead: nothing happens in between
                due = max(due + self._seconds_per_day, time.monotonic())

    async def _one_day(self, lease: Lease, reconciler: Reconciler) -> bool:
        """False where the venue still owes answers for the orders of the day before."""
        place = await asyncio.to_thread(self._day.place)
        if not place.unfinished and not await asyncio.to_thread(self._day.settled):
            self._orders.set()
            return False
        today = await asyncio.to_thread(self._day.store, lease, place)
        posted = await self._venue.post_bars(today.document())
        if posted.last_sequence > reconciler.cursor:
            await reconciler.fetch_fills()
        beyond = posted.beyond(today.timestamp)
        if self._behind and not beyond:
            # Orders that were taken over from the book just now count against those a second.
            await asyncio.sleep(_RATE_SECONDS)
        self._behind = beyond
        if await asyncio.to_thread(self._day.decide, lease, today, beyond):
            self._orders.set()
        self.facts.days += 1
        return True

    async def _beat(self, lease: Lease) -> None:
        """At once when a switch is announced: then this finds out that it is over."""
        while True:
            await _wait(self._switch, _BEAT_SECONDS)
            self._switch.clear()
            self._still_listening()
            await leases.beat(self._db.main, lease)


async def _wait(event: asyncio.Event, timeout_seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_seconds):
            await event.wait()
