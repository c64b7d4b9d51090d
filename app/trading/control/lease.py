"""The trading lease: one row, one holder, and a fencing token that only ever grows.

Holding the lease proves nothing about now: a process may have been stopped for an hour since it
looked. So every statement that writes as the trader carries `FENCE`, which locks the lease row and
finds nothing when the token is not the newest, and the venue refuses older tokens.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from trading.errors import LeaseLost

STALE_AFTER_SECONDS = 5.0
"""A holder without a sign of life may be replaced inside its own slot. Safe at any value: the
replaced one is fenced."""

FENCE = """fence as materialized (
  select 1 from trading.lease
  where holder = %(holder)s and epoch = %(epoch)s and timeline = %(timeline)s
    and timeline = trading.timeline()
  for share
)"""
"""First common table expression of a fenced statement. The share lock makes a hand-over and the
statement happen one after the other, in either order, never at once."""

FREE = f"""slot = %(slot)s and (holder is null or holder = %(holder)s or %(replace)s
  or heartbeat_at < clock_timestamp() - interval '{STALE_AFTER_SECONDS} seconds')"""

_TAKE = f"""
update trading.lease set holder = %(holder)s, epoch = epoch + 1, timeline = trading.timeline(),
  acquired_at = clock_timestamp(), heartbeat_at = clock_timestamp()
where {FREE} returning timeline, epoch
"""

_BEAT = """
update trading.lease set heartbeat_at = clock_timestamp()
where holder = %(holder)s and epoch = %(epoch)s and timeline = %(timeline)s
  and timeline = trading.timeline()
"""


@dataclass(slots=True)
class Lease:
    """What this process holds. `confirmed_at` is monotonic time: it runs on while stopped."""

    holder: UUID
    timeline: int
    epoch: int
    confirmed_at: float

    @property
    def token(self) -> str:
        return f"{self.timeline}.{self.epoch}"

    def values(self) -> dict[str, Any]:
        """Parameters of `FENCE`."""
        return {"holder": self.holder, "timeline": self.timeline, "epoch": self.epoch}

    def seen(self, fenced: bool, asked_at: float) -> None:
        """Note the answer of a fenced statement. Raises `LeaseLost`."""
        if not fenced:
            raise LeaseLost(
                f"the lease was taken from token {self.token}; this process stops trading",
                token=self.token,
            )
        self.confirmed_at = max(self.confirmed_at, asked_at)

    def fresh(self) -> bool:
        """Whether the database confirmed it in the last half second."""
        return time.monotonic() - self.confirmed_at < 0.5


async def take(
    connection: AsyncConnection[Any], slot: str, holder: UUID, *, replace: bool
) -> Lease | None:
    """The lease if this slot may have it. `replace`: also from a live-looking predecessor.

    A process that starts replaces whoever traded in its slot before: there is one per slot, and
    the new epoch fences the old one out.
    """
    values = {"slot": slot, "holder": holder, "replace": replace}
    # Asked before tried: a process that stands by writes nothing each second.
    free = await connection.execute(f"select 1 from trading.lease where {FREE}", values)
    if await free.fetchone() is None:
        return None
    asked_at = time.monotonic()
    cursor = await connection.execute(_TAKE, values)
    row = await cursor.fetchone()
    if row is None:
        return None
    return Lease(holder=holder, timeline=row[0], epoch=row[1], confirmed_at=asked_at)


async def beat(connection: AsyncConnection[Any], lease: Lease) -> None:
    """A sign of life. Raises `LeaseLost`."""
    asked_at = time.monotonic()
    cursor = await connection.execute(_BEAT, lease.values())
    lease.seen(cursor.rowcount == 1, asked_at)
