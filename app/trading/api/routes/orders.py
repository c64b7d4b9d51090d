"""Orders: place, list, look at, cancel."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from trading.api import queries
from trading.api.answers import ERRORS, ErrorAnswer, body_of, parse, raw_json
from trading.api.state import of
from trading.control.database import connect
from trading.errors import InvalidInput, MalformedRequest, OrderRateLimit, RiskRefused
from trading.orders import rows, service
from trading.orders.model import OPEN, Order, OrderRequest

router = APIRouter(prefix="/api/orders", tags=["orders"], responses=ERRORS)

_OPEN_STATES = sorted(OPEN)


class OrderBody(BaseModel):
    """What to trade. Quantity in shares, prices in USD; strings keep every digit."""

    model_config = ConfigDict(extra="forbid")

    symbol: Annotated[str, Field(min_length=1, max_length=12)]
    side: Literal["buy", "sell"]
    quantity: Decimal
    type: Literal["market", "limit", "stop", "stop_limit"] = "market"
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


class OrderAnswer(BaseModel):
    """An order as it is now."""

    client_order_id: str
    source: str
    strategy: str
    symbol: str
    side: str
    type: str
    state: str
    quantity: str
    limit_price: str | None
    stop_price: str | None
    filled_quantity: str
    average_price: str | None
    reason: str
    release: str
    created_at: datetime
    updated_at: datetime


class OrderList(BaseModel):
    """`next`: put it into `cursor` for the older ones; null at the end."""

    orders: list[OrderAnswer]
    next: str | None


@router.post(
    "",
    status_code=201,
    response_model=OrderAnswer,
    responses={
        200: {"model": OrderAnswer, "description": "this order existed already"},
        409: {"model": ErrorAnswer, "description": "the key was used for another order"},
    },
    openapi_extra={
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "becomes the client order id; the same key and body is the same "
                "order, however often it is sent",
                "schema": {"type": "string", "maxLength": 100},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": OrderBody.model_json_schema()}},
        },
    },
)
async def place(request: Request) -> Response:
    """Accept an order: it is checked and written. The trader sends it, once."""
    state = of(request)
    order = _request(request.headers.get("idempotency-key", ""), await body_of(request))
    result = await state.orders.submit(order)
    if result.order is None:
        return _refusal(result.refusals)
    return raw_json(json.dumps(_plain(result.order)), 201 if result.created else 200)


@router.get("", response_model=OrderList)
async def newest(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: str = "",
    state: Literal["all", "open"] = "all",
    strategy: Annotated[str, Query(max_length=24)] = "",
    symbol: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """The newest orders first, a page at a time."""
    before, before_id = _place(cursor) if cursor else (None, "")
    values = {
        "limit": limit,
        "states": _OPEN_STATES if state == "open" else None,
        "strategy": strategy,
        "symbol": symbol,
        "before": before,
        "before_id": before_id,
    }
    text = await of(request).database.fetch(queries.ORDERS, values)
    following = json.dumps(_cursor(text)) if text.count('"client_order_id" :') == limit else "null"
    return raw_json(f'{{"orders":{text},"next":{following}}}')


@router.get("/{client_order_id}")
async def one(request: Request, client_order_id: Annotated[str, Path(max_length=255)]) -> Response:
    """One order with its events and fills."""
    values = {"id": client_order_id}
    text = await of(request).database.fetch(queries.ONE_ORDER, values)
    if text is None:
        raise rows.not_found(client_order_id)
    return raw_json(text)


@router.delete("/{client_order_id}", status_code=202, response_model=OrderAnswer)
async def cancel(
    request: Request, client_order_id: Annotated[str, Path(max_length=255)]
) -> Response:
    """Ask for a cancel; an order that has ended already stays as it is."""

    state = of(request)
    order = await asyncio.to_thread(_cancel, state.settings.need_database_url(), client_order_id)
    return raw_json(json.dumps(_plain(order)), 202)


def _cancel(url: str, client_order_id: str) -> Order:
    with connect(url, "trading cancel") as connection:
        return service.cancel(connection, client_order_id)


def _request(key: str, body: bytes) -> OrderRequest:
    if not key:
        raise MalformedRequest(
            "send the header `Idempotency-Key` with a new id for each order; it becomes the "
            "client order id"
        )
    asked = parse(OrderBody, body)
    return OrderRequest(
        client_order_id=key,
        symbol=asked.symbol,
        side=asked.side,
        quantity=asked.quantity,
        type=asked.type,
        limit_price=asked.limit_price,
        stop_price=asked.stop_price,
    )


def _refusal(refusals: tuple[RiskRefused, ...]) -> Response:
    """422 with every failing limit; 429 if waiting a second is all it takes."""
    only_rate = all(isinstance(refusal, OrderRateLimit) for refusal in refusals)
    summary = RiskRefused(
        "the order was refused: " + "; ".join(refusal.message for refusal in refusals)
    )
    document = summary.as_dict()
    document["refusals"] = [refusal.as_dict() for refusal in refusals]
    return raw_json(json.dumps(document), 429 if only_rate else 422)


def _plain(order: Order) -> dict[str, Any]:
    average = order.average_price
    return {
        "client_order_id": order.client_order_id,
        "source": order.source,
        "strategy": order.strategy,
        "symbol": order.symbol,
        "side": order.side,
        "type": order.type,
        "state": order.state.value,
        "quantity": str(order.quantity),
        "limit_price": _text(order.limit_price),
        "stop_price": _text(order.stop_price),
        "filled_quantity": str(order.filled_quantity),
        "average_price": _text(average if average is None else round(average, 6)),
        "reason": order.reason,
        "release": order.release,
        "created_at": order.created_at.isoformat(),
        "updated_at": order.updated_at.isoformat(),
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _cursor(orders: str) -> str:
    oldest = json.loads(orders)[-1]
    place = f"{oldest['created_at']}|{oldest['client_order_id']}"
    return base64.urlsafe_b64encode(place.encode()).decode()


def _place(cursor: str) -> tuple[datetime, str]:
    try:
        at, _, order_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        return datetime.fromisoformat(at), order_id
    except (ValueError, binascii.Error) as error:
        raise InvalidInput(
            f"cursor is {cursor[:100]!r}; use the value of `next` of the page before"
        ) from error
