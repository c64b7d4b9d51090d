"""The trader's side of `trading.orders`: every statement fenced, every change one statement.

One statement each, because a process may be stopped between two: what is one statement the server
finishes alone, and no lock waits for a process that sleeps.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from trading.control.lease import FENCE, Lease
from trading.orders.model import State
from trading.orders.state_machine import FOLLOWERS

CLAIM_LIMIT = 200
_CONTENT = """client_order_id, strategy, symbol, side, quantity, type, limit_price, stop_price"""
_PAIRS = ", ".join(
    f"('{before}', '{after}')" for before, followers in FOLLOWERS.items() for after in followers
)
_NOTE = """insert into trading.order_events (client_order_id, from_state, to_state, detail,
    timeline, epoch)"""
_TELL = """insert into trading.events (kind, payload)
  select 'orders', jsonb_build_object('orders', jsonb_agg(jsonb_build_object(
    'client_order_id', client_order_id, 'state', state, 'symbol', symbol, 'side', side,
    'quantity', quantity, 'filled_quantity', filled_quantity)))
  from moved having count(*) > 0"""

Row = dict[str, Any]

_CLAIM = f"""
with {FENCE}, armed as materialized (
  select 1 from trading.risk_state where not killed for share
), picked as materialized (
  select client_order_id, state from trading.orders
  where (state = 'NEW'
      or (state = 'UNKNOWN' and not cancel_requested and client_order_id = any(%(again)s)))
    and exists (select 1 from fence) and exists (select 1 from armed)
  order by created_at limit {CLAIM_LIMIT} for update skip locked
), claimed as (
  update trading.orders o set state = 'SENT', timeline = %(timeline)s, epoch = %(epoch)s,
    sent_at = clock_timestamp(), updated_at = clock_timestamp()
  from picked where o.client_order_id = picked.client_order_id returning o.*
), noted as (
  {_NOTE} select client_order_id, picked.state, 'SENT', '', %(timeline)s, %(epoch)s
  from claimed join picked using (client_order_id)
)
select {_CONTENT} from fence left join claimed on true order by created_at
"""

_RECORD = f"""
with {FENCE}, said as (
  select * from jsonb_to_recordset(%(outcomes)s::jsonb)
    as x(client_order_id text, state text, venue_order_id text, reason text)
), locked as materialized (
  select o.client_order_id, o.state as before, said.state, said.venue_order_id, said.reason
  from trading.orders o join said using (client_order_id)
  where exists (select 1 from fence) for update of o
), moved as (
  update trading.orders o set state = l.state, updated_at = clock_timestamp(),
    venue_order_id = coalesce(l.venue_order_id, o.venue_order_id),
    reason = case when l.reason = '' then o.reason else l.reason end
  from locked l where o.client_order_id = l.client_order_id and l.before <> l.state
    and (l.before, l.state) in ({_PAIRS})
  returning o.*, l.before
), noted as (
  {_NOTE} select client_order_id, before, state, reason, %(timeline)s, %(epoch)s from moved
), told as (
  {_TELL}
)
select (select count(*) from moved) from fence
"""

# Orders another token left as SENT: nobody knows whether they arrived.
_DISOWN = f"""
with {FENCE}, picked as materialized (
  select client_order_id from trading.orders
  where state = 'SENT' and (timeline, epoch) <> (%(timeline)s, %(epoch)s)
    and exists (select 1 from fence) for update
), moved as (
  update trading.orders o set state = 'UNKNOWN', updated_at = clock_timestamp()
  from picked where o.client_order_id = picked.client_order_id returning o.client_order_id
), noted as (
  {_NOTE} select client_order_id, 'SENT', 'UNKNOWN', 'its sender is gone', %(timeline)s, %(epoch)s
  from moved
)
select (select count(*) from moved) from fence
"""

# Not at the venue, and nobody wants it any more. It is over where an older token sent it: the venue
# refuses that by now. What this token sent may still be on its way: that is only counted.
_WITHDRAW = f"""
with {FENCE}, unwanted as materialized (
  select client_order_id, (timeline, epoch) < (%(timeline)s, %(epoch)s) as refused
  from trading.orders
  where state = 'UNKNOWN' and cancel_requested and client_order_id = any(%(lost)s)
    and exists (select 1 from fence) for update
), moved as (
  update trading.orders o set state = 'CANCELED', reason = 'cancelled before it arrived',
    updated_at = clock_timestamp()
  from unwanted where o.client_order_id = unwanted.client_order_id and refused
  returning o.*
), noted as (
  {_NOTE} select client_order_id, 'UNKNOWN', 'CANCELED', reason, %(timeline)s, %(epoch)s from moved
), told as (
  {_TELL}
)
select (select count(*) from unwanted where not refused) as under_way from fence
"""

# The kill switch is on: what never left ends here, what is at the venue gets a cancel.
_SWEEP = f"""
with {FENCE}, killed as materialized (
  select 1 from trading.risk_state where killed
), picked as materialized (
  select client_order_id, state from trading.orders
  where state in ('NEW', 'SENT', 'ACKED', 'PARTIALLY_FILLED', 'UNKNOWN')
    and (state = 'NEW' or not cancel_requested)
    and exists (select 1 from fence) and exists (select 1 from killed) for update
), moved as (
  update trading.orders o set cancel_requested = true, updated_at = clock_timestamp(),
    state = case when o.state = 'NEW' then 'CANCELED' else o.state end,
    reason = case when o.state = 'NEW' then 'the kill switch is on' else o.reason end
  from picked where o.client_order_id = picked.client_order_id
  returning o.client_order_id, picked.state as before, o.state
), noted as (
  {_NOTE} select client_order_id, before, state, 'kill switch', %(timeline)s, %(epoch)s from moved
)
select (select count(*) from moved) from fence
"""

_TO_DO = """
select exists (select 1 from trading.orders where state = 'NEW') as new,
  (select killed from trading.risk_state) as killed,
  array(select client_order_id from trading.orders where state = 'UNKNOWN'
    order by created_at limit 500) as unknown,
  array(select client_order_id from trading.orders where cancel_requested
    and state in ('ACKED', 'PARTIALLY_FILLED') order by created_at limit 500) as cancels
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order; `reason` for people."""

    client_order_id: str
    state: State
    venue_order_id: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ToDo:
    new: bool
    killed: bool
    unknown: list[str]
    cancels: list[str]


class Journal:
    """Every method but `to_do` raises `LeaseLost` when the token is not the newest."""

    def __init__(self, connection: AsyncConnection[Any], lease: Lease) -> None:
        self._connection = connection
        self.lease = lease

    async def to_do(self) -> ToDo:
        rows = await self._rows(_TO_DO, {})
        return ToDo(**rows[0])

    async def claim(self, again: Sequence[str] = ()) -> list[Row]:
        """Move NEW orders to SENT and return them: these, and only these, may be sent now.

        `again`: UNKNOWN ones that the venue does not know; a cancelled one is not sent again.
        Nothing while the kill switch is on.
        """
        rows = await self.fenced(_CLAIM, {"again": list(again)})
        return [row for row in rows if row["client_order_id"] is not None]

    async def record(self, outcomes: Sequence[Outcome]) -> None:
        """Write answers of the venue; steps that the state machine forbids are left out."""
        if outcomes:
            document = json.dumps([asdict(outcome) for outcome in outcomes])
            await self.fenced(_RECORD, {"outcomes": document})

    async def disown(self) -> None:
        await self.fenced(_DISOWN, {})

    async def withdraw(self, lost: Sequence[str]) -> int:
        """End those of `lost` that were cancelled; return how many may still reach the venue.

        `lost`: the venue was asked for them after it had this token, and does not know them.
        """
        rows = await self.fenced(_WITHDRAW, {"lost": list(lost)})
        return int(rows[0]["under_way"])

    async def sweep(self) -> None:
        await self.fenced(_SWEEP, {})

    async def fenced(self, statement: str, values: Mapping[str, Any]) -> list[Row]:
        """Run a statement that begins with `FENCE` and returns a row exactly when it holds."""
        asked_at = time.monotonic()
        rows = await self._rows(statement, {**self.lease.values(), **values})
        self.lease.seen(bool(rows), asked_at)
        return rows

    async def _rows(self, statement: str, values: Mapping[str, Any]) -> list[Row]:
        async with self._connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(statement, values)
            return await cursor.fetchall()
