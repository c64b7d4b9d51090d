"""Bringing the ledger to what the venue's book says, before trading and after a reconnect.

The venue's word counts. Fills come by their sequence numbers, each once; orders left as SENT by
somebody else are asked for by their ids; what the venue has and the ledger lacks (a database that
was restored) is adopted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from psycopg import AsyncConnection

from trading.control.lease import FENCE
from trading.orders.journal import Journal
from trading.orders.model import OrderRequest
from trading.orders.pump import Pump, outcome_of
from trading.portfolio.ledger import apply_fills, last_fill, unknown_orders
from trading.venues.client import Document, VenueClient

_ADOPT = f"""
with {FENCE}, written as (
  insert into trading.orders (client_order_id, source, strategy, symbol, side, quantity, type,
    limit_price, stop_price, reference_price, content_hash, state, venue_order_id, reason, release)
  select client_order_id, 'api', tag, symbol, side, quantity, type, limit_price, stop_price, 0,
    content_hash, 'ACKED', venue_order_id, 'adopted from the venue''s book', %(release)s
  from jsonb_to_recordset(%(orders)s::jsonb) as x(client_order_id text, tag text, symbol text,
    side text, quantity numeric, type text, limit_price numeric, stop_price numeric,
    content_hash text, venue_order_id text)
  where exists (select 1 from fence)
  on conflict (client_order_id) do nothing returning client_order_id
), noted as (
  insert into trading.order_events (client_order_id, to_state, detail, timeline, epoch)
  select client_order_id, 'ACKED', 'adopted', %(timeline)s, %(epoch)s from written
)
select (select count(*) from written) as adopted from fence
"""

_WORKING = """select client_order_id from trading.orders
where state in ('ACKED', 'PARTIALLY_FILLED')"""


class Reconciler:
    """Keeps the cursor of fills for one lease. Methods raise `LeaseLost`, `VenueUnavailable`."""

    def __init__(
        self,
        connection: AsyncConnection[Any],
        journal: Journal,
        venue: VenueClient,
        pump: Pump,
        release: str,
    ) -> None:
        self._connection = connection
        self._journal = journal
        self._venue = venue
        self._pump = pump
        self._release = release
        self.cursor = 0

    async def start(self) -> None:
        """All of it: afterwards the ledger equals the book, and trading may begin."""
        await self._venue.announce()
        await self._journal.disown()
        self.cursor = await last_fill(self._connection)
        await self.fetch_fills()
        to_do = await self._journal.to_do()
        if to_do.unknown:
            await self._pump.resolve(to_do.unknown)
        await self.compare_open()

    async def fetch_fills(self) -> int:
        """Write fills the ledger does not have yet; return how many there were."""
        fills = await self._venue.fills(self.cursor)
        if not fills:
            return 0
        await self._adopt(await unknown_orders(self._connection, fills))
        await apply_fills(self._connection, self._journal, fills)
        self.cursor = fills[-1]["sequence"]
        return len(fills)

    async def compare_open(self) -> None:
        """Working here and there must be the same orders."""
        there = await self._venue.open_orders()
        cursor = await self._connection.execute(_WORKING)
        here = {row[0] for row in await cursor.fetchall()}
        known = await self._known(list(there))
        await self._adopt([name for name in there if name not in known])
        ended = [name for name in here if name not in there]
        if ended:
            await self.fetch_fills()
            found = await self._venue.orders(ended)
            await self._journal.record([outcome_of(document) for document in found.values()])

    async def _known(self, ids: Sequence[str]) -> set[str]:
        cursor = await self._connection.execute(
            "select client_order_id from trading.orders where client_order_id = any(%s)",
            [list(ids)],
        )
        return {row[0] for row in await cursor.fetchall()}

    async def _adopt(self, ids: Sequence[str]) -> None:
        if not ids:
            return
        found = await self._venue.orders(list(ids))
        documents = [{**row, "content_hash": _content_hash(row)} for row in found.values()]
        await self._journal.fenced(
            _ADOPT, {"orders": json.dumps(documents), "release": self._release}
        )


def _content_hash(row: Document) -> str:
    def price(name: str) -> Decimal | None:
        return None if row[name] is None else Decimal(row[name])

    return OrderRequest(
        client_order_id=row["client_order_id"],
        symbol=row["symbol"],
        side=row["side"],
        quantity=Decimal(row["quantity"]),
        type=row["type"],
        limit_price=price("limit_price"),
        stop_price=price("stop_price"),
        strategy=row["tag"],
    ).content_hash()
