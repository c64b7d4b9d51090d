"""Reading `trading.orders`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from trading.errors import OrderNotFound
from trading.orders.model import OPEN, Order, State

COLUMNS = """client_order_id, source, strategy, symbol, side, quantity, type, limit_price,
  stop_price, state, filled_quantity, filled_notional, venue_order_id, reason, release,
  created_at, updated_at"""
OPEN_STATES = sorted(OPEN)


def order_of(row: Mapping[str, Any]) -> Order:
    return Order(**{**row, "state": State(row["state"])})


def find(connection: Connection[Any], client_order_id: str) -> Order:
    """Raises `OrderNotFound`."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            f"select {COLUMNS} from trading.orders where client_order_id = %s", [client_order_id]
        ).fetchone()
    if row is None:
        raise not_found(client_order_id)
    return order_of(row)


def newest(
    connection: Connection[Any], limit: int = 100, strategy: str = "", only_open: bool = False
) -> list[Order]:
    """The newest orders first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            f"""select {COLUMNS} from trading.orders
            where (%(strategy)s = '' or strategy = %(strategy)s)
              and (not %(only_open)s or state = any(%(open)s))
            order by created_at desc limit %(limit)s""",
            {"strategy": strategy, "only_open": only_open, "open": OPEN_STATES, "limit": limit},
        ).fetchall()
    return [order_of(row) for row in rows]


def not_found(client_order_id: str) -> OrderNotFound:
    return OrderNotFound(
        f"there is no order {client_order_id!r}; GET /api/orders lists the newest",
        client_order_id=client_order_id,
    )
