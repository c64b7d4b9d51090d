"""From NEW to the venue's answer: claim in batches, send at once, write answers in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from trading.control.lease import Lease, beat
from trading.errors import FencingTokenStale, LeaseLost, SendOutcomeUnknown
from trading.orders.journal import Journal, Outcome, Row
from trading.orders.model import State
from trading.venues.client import Document, VenueClient

_VENUE_STATES = {
    "WORKING": State.ACKED,
    "PARTIALLY_FILLED": State.ACKED,  # how much, the fills say
    "FILLED": State.ACKED,
    "CANCELED": State.CANCELED,
    "REJECTED": State.REJECTED,
}


class Pump:
    """Belongs to one lease. Every method raises `LeaseLost` when that is gone."""

    def __init__(
        self, connection: AsyncConnection[Any], journal: Journal, venue: VenueClient
    ) -> None:
        self._connection = connection
        self._journal = journal
        self._venue = venue
        self._confirming = asyncio.Lock()
        self.sent = 0
        self.unknown = 0

    @property
    def lease(self) -> Lease:
        return self._journal.lease

    async def run_once(self) -> bool:
        """Do everything there is to do now; True when answers are still owed by the venue."""
        to_do = await self._journal.to_do()
        if to_do.killed:
            await self._journal.sweep()
            to_do = await self._journal.to_do()
        if to_do.new and not to_do.killed:
            while rows := await self._journal.claim():
                await self.send(rows)
        if to_do.cancels:
            await self.cancel(to_do.cancels)
        if to_do.unknown:
            return not await self.resolve(to_do.unknown)
        return False

    async def send(self, rows: Sequence[Row]) -> None:
        """Send claimed orders, all at once, and write what the venue said."""
        results = await asyncio.gather(*(self._send(row) for row in rows), return_exceptions=True)
        self.sent += len(rows)
        await self._journal.record([item for item in results if isinstance(item, Outcome)])
        for item in results:
            if isinstance(item, BaseException):
                raise item

    async def resolve(self, unknown: Sequence[str]) -> bool:
        """Ask the venue for orders whose fate is unknown; True when none is left.

        What it does not know is sent again under the same id: it has seen this process's token,
        so an older request that is still under way will be refused. What was cancelled meanwhile
        ends instead. Raises `VenueUnavailable`, and `SendOutcomeUnknown` for a cancelled order that
        this very token sent: it may still arrive, and only a newer token keeps it out.
        """
        self.unknown += len(unknown)
        known = await self._venue.orders(list(unknown))
        await self._journal.record([outcome_of(document) for document in known.values()])
        lost = [name for name in unknown if name not in known]
        if lost:
            under_way = await self._journal.withdraw(lost)
            if under_way:
                raise SendOutcomeUnknown(
                    f"{under_way} cancelled orders may still be on their way to the venue; the "
                    "lease is taken again, with a token that keeps them out",
                    orders=under_way,
                )
            claimed = await self._journal.claim(again=lost)
            await self.send(claimed)
        return not (await self._journal.to_do()).unknown

    async def cancel(self, ids: Sequence[str]) -> None:
        await self._confirm()
        answers = await asyncio.gather(*(self._cancel(name) for name in ids))
        await self._journal.record([answer for answer in answers if answer is not None])

    async def _cancel(self, client_order_id: str) -> Outcome | None:
        try:
            status, document = await self._venue.cancel(client_order_id)
        except SendOutcomeUnknown:
            return None  # still asked for: the next round repeats it, a cancel may be repeated
        except FencingTokenStale as error:
            raise LeaseLost(error.message) from error
        if status == 200 and document["state"] == "CANCELED":
            return Outcome(client_order_id, State.CANCELED, reason="cancelled at the venue")
        return None

    async def _send(self, row: Row) -> Outcome:
        client_order_id = row["client_order_id"]
        await self._confirm()
        try:
            status, answer = await self._venue.place(_document(row))
        except SendOutcomeUnknown as error:
            return Outcome(client_order_id, State.UNKNOWN, reason=error.message)
        except FencingTokenStale as error:
            raise LeaseLost(error.message) from error
        if status in (200, 201):
            return outcome_of(answer)
        reason = f"the venue refused it: {answer.get('error')} {answer.get('message', '')}".strip()
        return Outcome(client_order_id, State.REJECTED, reason=reason)

    async def _confirm(self) -> None:
        """A process that was stopped after its claim asks again before it sends."""
        if self.lease.fresh():
            return
        async with self._confirming:
            if not self.lease.fresh():
                await beat(self._connection, self.lease)


def outcome_of(document: Document) -> Outcome:
    return Outcome(
        document["client_order_id"],
        _VENUE_STATES[document["state"]],
        str(document["venue_order_id"]),
        document["reason"],
    )


def _document(row: Row) -> Document:
    return {
        "client_order_id": row["client_order_id"],
        "symbol": row["symbol"],
        "side": row["side"],
        "quantity": str(row["quantity"]),
        "type": row["type"],
        "limit_price": None if row["limit_price"] is None else str(row["limit_price"]),
        "stop_price": None if row["stop_price"] is None else str(row["stop_price"]),
        "tag": row["strategy"],
    }
