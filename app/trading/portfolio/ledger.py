"""Writing fills: order, position and event change in one fenced statement, each fill once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from trading.control.lease import FENCE
from trading.orders.journal import Journal
from trading.portfolio.accounting import Holding

Row = dict[str, Any]

_BEFORE = """
select o.client_order_id, o.strategy, o.symbol, p.quantity, p.average_price, p.realized_profit,
  p.fees
from trading.orders o left join trading.positions p using (strategy, symbol)
where o.client_order_id = any(%(ids)s)
"""
_KNOWN = "select fill_id from trading.fills where fill_id = any(%(fills)s)"

_APPLY = f"""
with {FENCE}, written as (
  insert into trading.fills (fill_id, venue_sequence, client_order_id, strategy, symbol, side,
    quantity, price, fee, bar_timestamp)
  select fill_id, sequence, client_order_id, strategy, symbol, side, quantity, price, fee,
    bar_timestamp
  from jsonb_to_recordset(%(fills)s::jsonb) as x(fill_id text, sequence bigint,
    client_order_id text, strategy text, symbol text, side text, quantity numeric, price numeric,
    fee numeric, bar_timestamp timestamptz)
  where exists (select 1 from fence)
  returning *
), per_order as materialized (
  select client_order_id, sum(quantity) as quantity, sum(quantity * price) as notional
  from written group by client_order_id
), before as materialized (
  select o.client_order_id, o.state from trading.orders o join per_order using (client_order_id)
), moved as (
  update trading.orders o set filled_quantity = o.filled_quantity + p.quantity,
    filled_notional = o.filled_notional + p.notional, updated_at = clock_timestamp(),
    state = case when o.state in ('CANCELED', 'REJECTED') then o.state
      when o.filled_quantity + p.quantity >= o.quantity then 'FILLED'
      else 'PARTIALLY_FILLED' end
  from per_order p where o.client_order_id = p.client_order_id
  returning o.*
), noted as (
  insert into trading.order_events (client_order_id, from_state, to_state, detail, timeline, epoch)
  select client_order_id, before.state, moved.state, 'filled ' || per_order.quantity,
    %(timeline)s, %(epoch)s
  from moved join before using (client_order_id) join per_order using (client_order_id)
), held as (
  insert into trading.positions as p (strategy, symbol, quantity, average_price, realized_profit,
    fees)
  select * from jsonb_to_recordset(%(positions)s::jsonb) as x(strategy text, symbol text,
    quantity numeric, average_price numeric, realized_profit numeric, fees numeric)
  where exists (select 1 from fence)
  on conflict (strategy, symbol) do update set quantity = excluded.quantity,
    average_price = excluded.average_price, realized_profit = excluded.realized_profit,
    fees = excluded.fees, updated_at = clock_timestamp()
), told as (
  insert into trading.events (kind, payload)
  select 'fills', jsonb_build_object('fills', jsonb_agg(jsonb_build_object(
    'client_order_id', w.client_order_id, 'strategy', w.strategy, 'symbol', w.symbol,
    'side', w.side, 'quantity', w.quantity, 'price', w.price, 'state', moved.state)))
  from written w join moved using (client_order_id) having count(*) > 0
)
select (select count(*) from written) as written from fence
"""


async def last_fill(connection: AsyncConnection[Any]) -> int:
    """The venue's sequence number of the newest fill in the ledger, 0 without any."""
    cursor = await connection.execute("select coalesce(max(venue_sequence), 0) from trading.fills")
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def unknown_orders(connection: AsyncConnection[Any], fills: Sequence[Row]) -> list[str]:
    """Ids of orders that were filled and that the ledger has never heard of."""
    ids = sorted({fill["client_order_id"] for fill in fills})
    cursor = await connection.execute(
        "select client_order_id from trading.orders where client_order_id = any(%s)", [ids]
    )
    known = {row[0] for row in await cursor.fetchall()}
    return [name for name in ids if name not in known]


async def apply_fills(
    connection: AsyncConnection[Any], journal: Journal, fills: Sequence[Row]
) -> int:
    """Write the fills that are new, in the venue's order; return how many. Raises `LeaseLost`.

    Positions are computed here and written whole: only the holder of the lease writes them, and
    the fence in the statement makes that certain.
    """
    if not fills:
        return 0
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_KNOWN, {"fills": [fill["fill_id"] for fill in fills]})
        known = {row["fill_id"] for row in await cursor.fetchall()}
        new = [fill for fill in fills if fill["fill_id"] not in known]
        await cursor.execute(_BEFORE, {"ids": [fill["client_order_id"] for fill in new]})
        before = {row["client_order_id"]: row for row in await cursor.fetchall()}
    strategies = {name: row["strategy"] for name, row in before.items()}
    values = {
        "fills": json.dumps([{**f, "strategy": strategies[f["client_order_id"]]} for f in new]),
        "positions": json.dumps(_positions(new, before), default=str),
    }
    rows = await journal.fenced(_APPLY, values)
    return int(rows[0]["written"])


def _positions(fills: Sequence[Row], before: dict[str, Row]) -> list[Row]:
    holdings: dict[tuple[str, str], Holding] = {}
    for fill in fills:
        order = before[fill["client_order_id"]]
        key = (order["strategy"], order["symbol"])
        holding = holdings.get(key) or _holding(order)
        holdings[key] = holding.after(
            fill["side"], Decimal(fill["quantity"]), Decimal(fill["price"]), Decimal(fill["fee"])
        )
    return [
        {
            "strategy": strategy,
            "symbol": symbol,
            "quantity": holding.quantity,
            "average_price": holding.average_price,
            "realized_profit": holding.realized_profit,
            "fees": holding.fees,
        }
        for (strategy, symbol), holding in holdings.items()
    ]


def _holding(row: Row) -> Holding:
    if row["quantity"] is None:
        return Holding()
    return Holding(row["quantity"], row["average_price"], row["realized_profit"], row["fees"])
