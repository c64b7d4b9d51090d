"""Which of several orders, asked for at once, are accepted: a pure function of known facts.

They are judged one after the other, and each accepted one counts for those behind it, exactly as if
it had been written before they came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from trading.errors import OrderConflict, RiskRefused
from trading.orders.model import OrderRequest
from trading.risk.checks import Facts, failures, reference_price
from trading.values import RiskValues


@dataclass(frozen=True, slots=True)
class Accepted:
    """To be written, with the price its notional was checked with."""

    request: OrderRequest
    reference_price: Decimal | None


@dataclass(frozen=True, slots=True)
class Known:
    """This id was accepted before with the same content, or further up in the same batch."""

    request: OrderRequest


Decision = Accepted | Known | OrderConflict | tuple[RiskRefused, ...]


def decide(
    requests: Sequence[OrderRequest],
    facts: Mapping[str, Facts],
    hashes: Mapping[str, str],
    limits: RiskValues,
) -> list[Decision]:
    """One decision for each request, in their order.

    `facts` by symbol; `hashes`: content by client order id, of those that exist already.
    """
    room, seen = dict(facts), dict(hashes)
    decisions: list[Decision] = []
    for request in requests:
        decision = _one(request, room[request.symbol], seen, limits)
        if isinstance(decision, Accepted):
            seen[request.client_order_id] = request.content_hash()
            room = {symbol: _after(request, symbol, known) for symbol, known in room.items()}
        decisions.append(decision)
    return decisions


def _one(
    request: OrderRequest, facts: Facts, hashes: Mapping[str, str], limits: RiskValues
) -> Decision:
    before = hashes.get(request.client_order_id)
    if before is not None:
        if before == request.content_hash():
            return Known(request)
        return OrderConflict(
            f"client order id {request.client_order_id!r} was used before for another order; "
            "choose a new id",
            client_order_id=request.client_order_id,
        )
    refusals = failures(request, facts, limits)
    return refusals or Accepted(request, reference_price(request, facts))


def _after(accepted: OrderRequest, symbol: str, facts: Facts) -> Facts:
    changes: dict[str, Any] = {"orders_last_second": facts.orders_last_second + 1}
    if symbol == accepted.symbol:
        side = "open_buys" if accepted.side == "buy" else "open_sells"
        changes[side] = getattr(facts, side) + accepted.quantity
    return replace(facts, **changes)
