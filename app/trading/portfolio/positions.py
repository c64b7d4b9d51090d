"""Reading positions and equity. Both are written by the trader only, from fills."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class Position:
    """Shares of one strategy in one symbol; negative is short. Money in USD.

    `unrealized_profit` against the newest close; None before the first bar.
    """

    strategy: str
    symbol: str
    quantity: Decimal
    average_price: Decimal
    realized_profit: Decimal
    fees: Decimal
    last_price: Decimal | None
    unrealized_profit: Decimal | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """The account after one trading day."""

    bar_timestamp: datetime
    equity: Decimal
    realized_profit: Decimal
    unrealized_profit: Decimal
    fees: Decimal


def positions(connection: Connection[Any]) -> list[Position]:
    with connection.cursor(row_factory=class_row(Position)) as cursor:
        return cursor.execute(
            """select p.strategy, p.symbol, p.quantity, p.average_price, p.realized_profit, p.fees,
              i.last_price, (i.last_price - p.average_price) * p.quantity as unrealized_profit,
              p.updated_at
            from trading.positions p left join trading.instruments i using (symbol)
            order by p.strategy, p.symbol"""
        ).fetchall()


def equity_curve(connection: Connection[Any], points: int = 500) -> list[EquityPoint]:
    """The newest `points` days, oldest first."""
    with connection.cursor(row_factory=class_row(EquityPoint)) as cursor:
        return cursor.execute(
            """select * from (select bar_timestamp, equity, realized_profit, unrealized_profit,
              fees from trading.equity order by bar_timestamp desc limit %s) newest
            order by bar_timestamp""",
            [points],
        ).fetchall()
