"""Fill a database with rows as years of trading would leave them: for rehearsing migrations.

Everything is made by the server itself (`generate_series`), is a function of the row's number, and
agrees with itself: fills with their orders, positions and equity with the fills.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from trading.errors import DatabaseNotEmpty, DatabaseUnavailable, InvalidInput, SchemaMissing
from trading.migrations.ledger import require_schema
from trading.migrations.populate_sql import STEPS
from trading.values import SAMPLE_SYMBOLS

FEWEST, MOST = 100, 20_000_000
TABLES = ("orders", "fills", "order_events", "bars", "signals", "equity", "positions")
_STRATEGIES = ("sma-cross", "momentum", "mean-reversion")
_BARS_A_DAY = 390  # minutes of a trading day

# Of each hundred rows: 45 orders, 36 fills (four orders in five are filled), 12 events, 7 bars.
_ORDERS, _BARS = 0.45, 0.07
_EVENTS_OF_AN_ORDER = 4
_ORDERS_WITH_EVENTS = 0.12 / _EVENTS_OF_AN_ORDER / _ORDERS  # the newest ones

_REFUSE = """
select (select count(*) from (select 1 from trading.orders limit 1) any_order),
  (select count(*) from slipway.active)
"""


@dataclass(frozen=True, slots=True)
class Populated:
    """Rows by table of schema `trading` as they are now, counted."""

    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def populate(database_url: str, rows: int, *, force: bool = False) -> Populated:
    """Add about `rows` rows (at least so many) in one transaction, then let the planner look.

    Raises `InvalidInput` for a number that makes no sense, `DatabaseNotEmpty` where orders are or
    something is active (unless forced), `SchemaMissing`, `DatabaseUnavailable`.
    """
    if not FEWEST <= rows <= MOST:
        raise InvalidInput(f"--rows is {rows}; it takes {FEWEST} to {MOST}", rows=rows)
    try:
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            connection.autocommit = True
            require_schema(connection)
            if not force:
                _require_empty(connection)
            _fill(connection, rows)
            connection.execute("analyze")
            return Populated(_counted(connection))
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"the database does not answer: {error}") from error
    except psycopg.errors.UniqueViolation as error:
        raise DatabaseNotEmpty(
            f"made-up rows are here already: {error.diag.message_primary}; use a new database"
        ) from error
    except psycopg.errors.UndefinedTable as error:
        raise SchemaMissing(
            f"{error.diag.message_primary}; run: trading migrate up", table=str(error)
        ) from error


def _require_empty(connection: psycopg.Connection[Any]) -> None:
    found = connection.execute(_REFUSE).fetchone()
    orders, active = found or (0, 0)
    if active:
        raise DatabaseNotEmpty(
            "a release is or was active in this database; made-up rows belong into a copy "
            "(--force does it anyway)"
        )
    if orders:
        raise DatabaseNotEmpty(
            "there are orders in this database; made-up rows belong into an empty one "
            "(--force does it anyway)"
        )


def _fill(connection: psycopg.Connection[Any], rows: int) -> None:
    orders = int(rows * _ORDERS) + 1
    values = {
        "orders": orders,
        "orders_with_events": int(orders * _ORDERS_WITH_EVENTS) + 1,
        "symbols": list(SAMPLE_SYMBOLS),
        "symbol_count": len(SAMPLE_SYMBOLS),
        "strategies": list(_STRATEGIES),
        "strategy_count": len(_STRATEGIES),
        "bars_a_day": _BARS_A_DAY,
        "bars": int(rows * _BARS) + 1,
        "since": "",
        "until": "",
    }
    with connection.transaction():
        moment = connection.execute(
            "select now(), now() - interval '1 day' * (2 + %(bars)s / %(symbol_count)s"
            " / %(bars_a_day)s)",
            values,
        ).fetchone()
        values["until"], values["since"] = moment or (None, None)
        for step in STEPS:
            connection.execute(step, values)


def _counted(connection: psycopg.Connection[Any]) -> dict[str, int]:
    counted = {}
    for table in TABLES:
        # nosec B608 - the tables are a constant
        row = connection.execute(f"select count(*) from trading.{table}").fetchone()
        counted[table] = int(row[0]) if row else 0
    return counted
