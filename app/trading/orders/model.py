"""What an order is, before and after the database knows it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from trading.errors import RiskRefused

Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit", "stop", "stop_limit"]
Source = Literal["api", "strategy"]

MANUAL = "manual"
"""The strategy name of orders that people place through the API."""


class State(StrEnum):
    NEW = "NEW"
    SENT = "SENT"
    ACKED = "ACKED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"


TERMINAL = frozenset({State.FILLED, State.CANCELED, State.REJECTED})
OPEN = frozenset(State) - TERMINAL


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order somebody asks for. `quantity` in shares, prices in the instrument's currency."""

    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    type: OrderType = "market"
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    strategy: str = MANUAL
    source: Source = "api"
    bar_timestamp: datetime | None = None

    def content_hash(self) -> str:
        """Same content, same hash: `1.0` and `1` shares are the same order."""
        parts = (
            self.symbol,
            self.side,
            _plain(self.quantity),
            self.type,
            _plain(self.limit_price),
            _plain(self.stop_price),
            self.strategy,
        )
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _plain(value: Decimal | None) -> str:
    return "" if value is None else format(value.normalize(), "f")


@dataclass(frozen=True, slots=True)
class Order:
    """One row of `trading.orders`, as everybody outside the journal sees it."""

    client_order_id: str
    source: str
    strategy: str
    symbol: str
    side: Side
    quantity: Decimal
    type: OrderType
    limit_price: Decimal | None
    stop_price: Decimal | None
    state: State
    filled_quantity: Decimal
    filled_notional: Decimal
    venue_order_id: str | None
    reason: str
    release: str
    created_at: datetime
    updated_at: datetime

    @property
    def average_price(self) -> Decimal | None:
        return self.filled_notional / self.filled_quantity if self.filled_quantity else None


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """`order` is None exactly when `refusals` is not empty; then nothing was written.

    `refusals` are errors with code, message and values, one for each failing limit, not raised.
    `created` is False when an order with the same id and content existed before.
    """

    order: Order | None
    refusals: tuple[RiskRefused, ...] = ()
    created: bool = False

    @property
    def accepted(self) -> bool:
        return self.order is not None
