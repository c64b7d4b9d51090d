"""Why an order exists: from its fills back to the people behind the code that decided it."""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from trading.orders.rows import not_found

_ORDER = """
select client_order_id, source, strategy, symbol, side, quantity, type, limit_price, stop_price,
  state, filled_quantity, reason, release, bar_timestamp, venue_order_id, created_at,
  timeline || '.' || epoch as fencing_token
from trading.orders where client_order_id = %s
"""
_SIGNAL = """
select bar_timestamp, target_quantity, reason, release, recorded_at from trading.signals
where strategy = %(strategy)s and symbol = %(symbol)s and bar_timestamp = %(bar_timestamp)s
"""
_RELEASE = """
select source_commit, source_author, strategies -> %(strategy)s as parameters
from trading.releases where release = %(release)s
"""
_BAR = """
select open, high, low, close, volume from trading.bars
where symbol = %(symbol)s and timestamp = %(bar_timestamp)s
"""
_EVENTS = """
select at, from_state, to_state, detail, timeline || '.' || epoch as fencing_token
from trading.order_events where client_order_id = %s order by id
"""
_FILLS = """
select fill_id, quantity, price, fee, bar_timestamp from trading.fills
where client_order_id = %s order by venue_sequence
"""

Row = dict[str, Any]


def why(connection: Connection[Any], client_order_id: str) -> Row:
    """`{"order", "strategy", "parameters", "release", "commit", "author", "signal", "bar",
    "events", "fills"}`. Raises `OrderNotFound`."""
    with connection.cursor(row_factory=dict_row) as cursor:
        order = cursor.execute(_ORDER, [client_order_id]).fetchone()
        if order is None:
            raise not_found(client_order_id)
        release = cursor.execute(_RELEASE, order).fetchone() or {}
        signal = cursor.execute(_SIGNAL, order).fetchone()
        bar = cursor.execute(_BAR, order).fetchone()
        events = cursor.execute(_EVENTS, [client_order_id]).fetchall()
        fills = cursor.execute(_FILLS, [client_order_id]).fetchall()
    return {
        "order": order,
        "strategy": order["strategy"],
        "parameters": release.get("parameters"),
        "release": order["release"],
        "commit": release.get("source_commit"),
        "author": release.get("source_author"),
        "signal": signal,
        "bar": bar,
        "events": events,
        "fills": fills,
    }
