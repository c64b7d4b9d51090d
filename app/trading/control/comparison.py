"""The ledger against the venue's book, read-only: `trading reconcile`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from trading.control.checks import Check
from trading.errors import VenueUnavailable
from trading.venues.client import Document, VenueClient

_OPEN = """select client_order_id from trading.orders
where state in ('ACKED', 'PARTIALLY_FILLED') and updated_at < %s"""
_POSITIONS = "select symbol, sum(quantity) from trading.positions group by symbol"
_SETTLE_SECONDS = 2.0
_ATTEMPTS = 5


def compare(connection: psycopg.Connection[Any], venue_url: str, bearer: str) -> list[Check]:
    """Open orders, unknown outcomes, fills, positions.

    Trading goes on meanwhile, so a difference counts only when it is still there on the last of
    several looks.
    """
    return asyncio.run(_compare(connection, venue_url, bearer))


async def _compare(connection: psycopg.Connection[Any], venue_url: str, bearer: str) -> list[Check]:
    venue = VenueClient(venue_url, bearer)
    try:
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(_SETTLE_SECONDS / _ATTEMPTS)
            checks = await _look(connection, venue)
            if all(check.ok for check in checks):
                break
        return checks
    except VenueUnavailable as error:
        return [Check("venue", False, error.message, 0)]
    finally:
        await venue.close()


async def _look(connection: psycopg.Connection[Any], venue: VenueClient) -> list[Check]:
    row = connection.execute("select clock_timestamp() - interval '200 milliseconds'").fetchone()
    assert row is not None
    open_here = {name for (name,) in connection.execute(_OPEN, [row[0]])}
    open_there = await venue.open_orders()
    # Asked after the venue: an order that ended meanwhile is no difference.
    known = _states(connection, list(open_there))
    ended = [name for name in open_here if name not in open_there]
    still = _states(connection, ended)
    since = connection.execute(
        "select coalesce(max(venue_sequence), 0), count(*) from trading.fills"
    ).fetchone()
    assert since is not None
    missing_fills = await venue.fills(since[0])
    positions_there = await venue.positions()
    return [
        _open_check(known, still, len(open_there)),
        _unknown_check(connection),
        Check(
            "fills",
            not missing_fills,
            f"{len(missing_fills)} fills of the book are not in the ledger"
            if missing_fills
            else "the ledger has every fill of the book",
            since[1],
        ),
        _position_check(dict(connection.execute(_POSITIONS).fetchall()), positions_there),
    ]


def _states(connection: psycopg.Connection[Any], ids: list[str]) -> dict[str, str]:
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "select client_order_id, state from trading.orders where client_order_id = any(%s)",
            [ids],
        ).fetchall()
    return {row["client_order_id"]: row["state"] for row in rows} | {
        name: "(not in the ledger)" for name in set(ids) - {row["client_order_id"] for row in rows}
    }


def _open_check(known: Mapping[str, str], still: Mapping[str, str], samples: int) -> Check:
    ended = ("FILLED", "CANCELED", "REJECTED", "(not in the ledger)", "NEW")
    wrong = [
        f"{name}: works at the venue, here {state}"
        for name, state in known.items()
        if state in ended
    ]
    wrong += [
        f"{name}: {state} here, not working at the venue"
        for name, state in still.items()
        if state in ("ACKED", "PARTIALLY_FILLED")
    ]
    message = "; ".join(wrong[:5]) or "the same orders work here and at the venue"
    return Check("open orders", not wrong, message, samples)


def _unknown_check(connection: psycopg.Connection[Any]) -> Check:
    row = connection.execute(
        """select count(*) filter (where state = 'UNKNOWN'), count(*) from trading.orders"""
    ).fetchone()
    assert row is not None
    message = f"{row[0]} orders with unknown outcome" if row[0] else "every outcome is known"
    return Check("outcomes", row[0] == 0, message, row[1])


def _position_check(here: Mapping[str, Decimal], there: Document) -> Check:
    wrong = [
        f"{symbol}: {here.get(symbol, Decimal(0))} here, {there.get(symbol, '0')} at the venue"
        for symbol in sorted(set(here) | set(there))
        if here.get(symbol, Decimal(0)) != Decimal(there.get(symbol, "0"))
    ]
    message = "; ".join(wrong) or "the same positions here and at the venue"
    return Check("positions", not wrong, message, len(set(here) | set(there)))
