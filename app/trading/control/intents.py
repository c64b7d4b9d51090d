"""What strategies want, as orders: checked like everybody's, refused ones kept with the reasons."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from trading.control.lease import FENCE, Lease
from trading.orders.model import OrderRequest
from trading.risk import facts
from trading.risk.checks import failures, reference_price
from trading.values import RiskValues

_INSERT = f"""
with {FENCE}, written as (
  insert into trading.orders (client_order_id, source, strategy, symbol, side, quantity, type,
    limit_price, stop_price, reference_price, bar_timestamp, content_hash, state, reason, release,
    timeline, epoch)
  select %(client_order_id)s, 'strategy', %(strategy)s, %(symbol)s, %(side)s, %(quantity)s,
    %(type)s, %(limit_price)s, %(stop_price)s, %(reference_price)s, %(bar_timestamp)s,
    %(content_hash)s, %(state)s, %(reason)s, %(release)s, %(timeline)s, %(epoch)s
  from fence on conflict (client_order_id) do nothing
  returning client_order_id, state, reason
), noted as (
  insert into trading.order_events (client_order_id, to_state, detail, timeline, epoch)
  select client_order_id, state, reason, %(timeline)s, %(epoch)s from written
)
select (select count(*) from written) from fence
"""


def write_intents(
    connection: psycopg.Connection[Any],
    lease: Lease,
    orders: Sequence[OrderRequest],
    limits: RiskValues,
    release: str,
) -> int:
    """Inside the caller's transaction; returns how many may be sent. Raises `LeaseLost`."""
    if not orders:
        return 0
    connection.execute(facts.LOCK)
    return sum(_write(connection, lease, order, limits, release) for order in orders)


def _write(
    connection: psycopg.Connection[Any],
    lease: Lease,
    order: OrderRequest,
    limits: RiskValues,
    release: str,
) -> bool:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(facts.QUERY, {"symbols": [order.symbol]}).fetchone()
    assert row is not None  # risk_state always has its one row
    known = facts.facts_of(row)
    refusals = failures(order, known, limits)
    asked_at = time.monotonic()
    written = connection.execute(
        _INSERT,
        {
            **lease.values(),
            "client_order_id": order.client_order_id,
            "strategy": order.strategy,
            "symbol": order.symbol,
            "side": order.side,
            "quantity": order.quantity,
            "type": order.type,
            "limit_price": order.limit_price,
            "stop_price": order.stop_price,
            "reference_price": reference_price(order, known) or 0,
            "bar_timestamp": order.bar_timestamp,
            "content_hash": order.content_hash(),
            "state": "REJECTED" if refusals else "NEW",
            "reason": "; ".join(f"{refusal.name}: {refusal.message}" for refusal in refusals),
            "release": release,
        },
    ).fetchone()
    lease.seen(written is not None, asked_at)
    return not refusals
