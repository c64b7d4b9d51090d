"""Accepting an order: checked, written once, and nothing sent from here.

The row with state NEW is the acceptance. The trader that holds the lease finds it and sends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row

from trading.errors import OrderConflict
from trading.orders import rows
from trading.orders.model import Order, OrderRequest, State, SubmitResult
from trading.orders.validation import validate
from trading.risk import facts
from trading.risk.checks import Facts, failures, reference_price
from trading.values import RiskValues

_BEFORE = f"""
select {facts.COLUMNS}, to_jsonb(existing.client_order_id) is not null as exists,
  existing.content_hash
from {facts.WORKING}
left join trading.orders existing on existing.client_order_id = %(client_order_id)s
"""
_FIND = f"select {rows.COLUMNS} from trading.orders where client_order_id = %(client_order_id)s"

_INSERT = f"""
with written as (
  insert into trading.orders (client_order_id, source, strategy, symbol, side, quantity, type,
    limit_price, stop_price, reference_price, bar_timestamp, content_hash, release)
  select %(client_order_id)s, %(source)s, %(strategy)s, %(symbol)s, %(side)s, %(quantity)s,
    %(type)s, %(limit_price)s, %(stop_price)s, %(reference_price)s, %(bar_timestamp)s,
    %(content_hash)s, %(release)s
  where not (select killed from trading.risk_state)
  on conflict (client_order_id) do nothing
  returning {rows.COLUMNS}
), noted as (
  insert into trading.order_events (client_order_id, to_state) select client_order_id, state
  from written
)
select written.*, pg_notify('trading_orders', '') from written
"""


def submit(
    connection: Connection[Any], request: OrderRequest, *, limits: RiskValues, release: str
) -> SubmitResult:
    """Check and write an order in one transaction; the same id and content gives the same order.

    Raises `OrderInvalid` (contradicts itself) and `OrderConflict` (the id was used for another
    content). A refusal by a limit is not raised: `SubmitResult.refusals` lists every one.
    """
    validate(request)
    values = _values(request, release)
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        with connection.pipeline():
            cursor.execute(facts.LOCK)
            before = cursor.execute(_BEFORE, values).fetchone()
        decision = _decide(request, before or {}, limits, values)
        if isinstance(decision, SubmitResult):
            return decision
        row = cursor.execute(decision, values).fetchone()
    return _written(request, row, decision)


async def submit_async(
    connection: AsyncConnection[Any], request: OrderRequest, *, limits: RiskValues, release: str
) -> SubmitResult:
    """`submit` for an event loop: the same statements, the same result."""
    validate(request)
    values = _values(request, release)
    async with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        async with connection.pipeline():
            await cursor.execute(facts.LOCK)
            await cursor.execute(_BEFORE, values)
            before = await cursor.fetchone()
        decision = _decide(request, before or {}, limits, values)
        if isinstance(decision, SubmitResult):
            return decision
        await cursor.execute(decision, values)
        row = await cursor.fetchone()
    return _written(request, row, decision)


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


def _values(request: OrderRequest, release: str) -> dict[str, Any]:
    return {
        "client_order_id": request.client_order_id,
        "source": request.source,
        "strategy": request.strategy,
        "symbol": request.symbol,
        "side": request.side,
        "quantity": request.quantity,
        "type": request.type,
        "limit_price": request.limit_price,
        "stop_price": request.stop_price,
        "bar_timestamp": request.bar_timestamp,
        "content_hash": request.content_hash(),
        "release": release,
        "reference_price": None,
    }


def _decide(
    request: OrderRequest, before: Mapping[str, Any], limits: RiskValues, values: dict[str, Any]
) -> SubmitResult | str:
    """The statement to run next, or the refusal. Fills in `reference_price`."""
    if before["exists"]:
        if before["content_hash"] != values["content_hash"]:
            raise OrderConflict(
                f"client order id {request.client_order_id!r} was used before for another order; "
                "choose a new id",
                client_order_id=request.client_order_id,
            )
        return _FIND
    known: Facts = facts.facts_of(before)
    refusals = failures(request, known, limits)
    if refusals:
        return SubmitResult(order=None, refusals=refusals)
    values["reference_price"] = reference_price(request, known)
    return _INSERT


def _written(request: OrderRequest, row: Mapping[str, Any] | None, statement: str) -> SubmitResult:
    if row is None:
        # Only the kill switch can come between the check and the insert: the lock excludes others.
        from trading.errors import KillSwitchOn

        return SubmitResult(order=None, refusals=(KillSwitchOn(),))
    return SubmitResult(order=_order(row), created=statement is _INSERT)


def _order(row: Mapping[str, Any]) -> Order:
    fields = {name: value for name, value in row.items() if name != "pg_notify"}
    return rows.order_of({**fields, "state": State(fields["state"])})
