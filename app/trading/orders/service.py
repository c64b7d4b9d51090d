"""Accepting an order: checked, written once, and nothing sent from here.

The row with state NEW is the acceptance. The trader that holds the lease finds it and sends it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row

from trading.errors import KillSwitchOn, OrderConflict
from trading.orders import rows
from trading.orders.acceptance import Accepted, Decision, decide
from trading.orders.model import Order, OrderRequest, State, SubmitResult
from trading.orders.validation import validate
from trading.risk import facts
from trading.values import RiskValues

_EXISTING = f"""
select {rows.COLUMNS}, content_hash from trading.orders where client_order_id = any(%(ids)s)
"""

_INSERT = f"""
with asked as (
  select * from jsonb_to_recordset(%(orders)s::jsonb) as x(place int, client_order_id text,
    source text, strategy text, symbol text, side text, quantity numeric, type text,
    limit_price numeric, stop_price numeric, reference_price numeric, bar_timestamp timestamptz,
    content_hash text, release text)
), written as (
  insert into trading.orders (client_order_id, source, strategy, symbol, side, quantity, type,
    limit_price, stop_price, reference_price, bar_timestamp, content_hash, release)
  select client_order_id, source, strategy, symbol, side, quantity, type, limit_price, stop_price,
    reference_price, bar_timestamp, content_hash, release
  from asked where not (select killed from trading.risk_state) order by place
  on conflict (client_order_id) do nothing
  returning {rows.COLUMNS}
), noted as (
  insert into trading.order_events (client_order_id, to_state) select client_order_id, state
  from written
)
select written.*, pg_notify('trading_orders', '') from written
"""

Answer = SubmitResult | OrderConflict


def submit(
    connection: Connection[Any], request: OrderRequest, *, limits: RiskValues, release: str
) -> SubmitResult:
    """Check and write an order in one transaction; the same id and content gives the same order.

    Raises `OrderInvalid` (contradicts itself) and `OrderConflict` (the id was used for another
    content). A refusal by a limit is not raised: `SubmitResult.refusals` lists every one.
    """
    validate(request)
    asked = _asked([request])
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(facts.LOCK)
        known = cursor.execute(facts.QUERY, asked).fetchall()
        orders = cursor.execute(_EXISTING, asked).fetchall()
        decisions = _decide([request], known, orders, limits)
        documents = _documents(decisions, release)
        written = cursor.execute(_INSERT, documents).fetchall() if documents else []
    answer = _answers(decisions, [*orders, *written])[0]
    if isinstance(answer, OrderConflict):
        raise answer
    return answer


async def submit_all(
    connection: AsyncConnection[Any],
    requests: Sequence[OrderRequest],
    *,
    limits: RiskValues,
    release: str,
) -> list[Answer]:
    """`submit` for many at once: one transaction, judged in their order; a conflict is an answer.

    Every request must be valid in itself (`validate`).
    """
    asked = _asked(requests)
    async with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        async with connection.pipeline():
            await cursor.execute(facts.LOCK)
            await cursor.execute(facts.QUERY, asked)
            known = await cursor.fetchall()
            await cursor.execute(_EXISTING, asked)
            orders = await cursor.fetchall()
        decisions = _decide(requests, known, orders, limits)
        documents = _documents(decisions, release)
        if documents:
            await cursor.execute(_INSERT, documents)
            orders = [*orders, *await cursor.fetchall()]
    return _answers(decisions, orders)


def _asked(requests: Sequence[OrderRequest]) -> dict[str, Any]:
    return {
        "symbols": sorted({request.symbol for request in requests}),
        "ids": [request.client_order_id for request in requests],
    }


def _decide(
    requests: Sequence[OrderRequest],
    known: Sequence[Mapping[str, Any]],
    orders: Sequence[Mapping[str, Any]],
    limits: RiskValues,
) -> list[Decision]:
    by_symbol = {row["symbol"]: facts.facts_of(row) for row in known}
    hashes = {row["client_order_id"]: row["content_hash"] for row in orders}
    return decide(requests, by_symbol, hashes, limits)


def _documents(decisions: Sequence[Decision], release: str) -> dict[str, str]:
    """Values of `_INSERT`; empty when nothing is accepted."""
    orders = [
        {
            **asdict(decision.request),
            "place": place,
            "content_hash": decision.request.content_hash(),
            "reference_price": decision.reference_price,
            "release": release,
        }
        for place, decision in enumerate(decisions)
        if isinstance(decision, Accepted)
    ]
    return {"orders": json.dumps(orders, default=str)} if orders else {}


def _answers(decisions: Sequence[Decision], orders: Sequence[Mapping[str, Any]]) -> list[Answer]:
    stored = {row["client_order_id"]: row for row in orders}
    return [_answer(decision, stored) for decision in decisions]


def _answer(decision: Decision, stored: Mapping[str, Mapping[str, Any]]) -> Answer:
    if isinstance(decision, OrderConflict):
        return decision
    if isinstance(decision, tuple):
        return SubmitResult(order=None, refusals=decision)
    row = stored.get(decision.request.client_order_id)
    if row is None:
        # Only the kill switch can come between the check and the insert: the lock excludes others.
        return SubmitResult(order=None, refusals=(KillSwitchOn(),))
    return SubmitResult(order=_order(row), created=isinstance(decision, Accepted))


_CANCEL = f"""
with before as (
  select client_order_id, state from trading.orders
  where client_order_id = %(client_order_id)s for update
), changed as (
  update trading.orders o set
    state = case when before.state = 'NEW' then 'CANCELED' else o.state end,
    reason = case when before.state = 'NEW' then 'cancelled before it was sent' else o.reason end,
    cancel_requested = true, updated_at = clock_timestamp()
  from before where o.client_order_id = before.client_order_id
    and before.state in ('NEW', 'SENT', 'ACKED', 'PARTIALLY_FILLED', 'UNKNOWN')
  returning o.*
), noted as (
  insert into trading.order_events (client_order_id, from_state, to_state, detail)
  select changed.client_order_id, before.state, changed.state, 'cancel requested'
  from changed join before using (client_order_id)
)
select {rows.COLUMNS}, pg_notify('trading_orders', '') from changed
"""


def cancel(connection: Connection[Any], client_order_id: str) -> Order:
    """Ask for a cancel; an order that was never sent is cancelled at once.

    An order that has ended already is returned as it is. Raises `OrderNotFound`.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_CANCEL, {"client_order_id": client_order_id}).fetchone()
    return _order(row) if row else rows.find(connection, client_order_id)


def _order(row: Mapping[str, Any]) -> Order:
    extra = ("pg_notify", "content_hash")
    fields = {name: value for name, value in row.items() if name not in extra}
    return rows.order_of({**fields, "state": State(fields["state"])})
