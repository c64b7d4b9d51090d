"""The venue's HTTP API: JSON in, JSON out, a bearer token on everything but health."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from trading.errors import BarInvalid, InvalidInput, TradingError
from trading.lean_http import Request, Response
from trading.market_data.bars import Bar
from trading.orders.model import OrderRequest
from trading.orders.validation import validate
from trading.venues.costs import Costs
from trading.venues.paper.book import Book, Row, whole_book
from trading.venues.paper.faults import Faults, parse

_CONTENT = ("symbol", "side", "quantity", "type", "limit_price", "stop_price", "tag")
_FILLS_A_PAGE = 1000


class Stale(Exception):
    """The request carries an older fencing token than the highest seen."""


class Venue:
    def __init__(self, book: Book, token: str, costs: Costs, faults: Faults) -> None:
        self.book = book
        self.costs = costs
        self.faults = faults
        self._bearer = f"Bearer {token}".encode()
        self._routes: dict[tuple[str, str], Callable[[Request], Awaitable[Response]]] = {
            ("POST", "/v1/orders"): self._post_order,
            ("GET", "/v1/orders"): self._get_orders,
            ("GET", "/v1/fills"): self._get_fills,
            ("GET", "/v1/positions"): self._get_positions,
            ("POST", "/v1/bars"): self._post_bars,
            ("PUT", "/v1/fence"): self._put_fence,
            ("PUT", "/v1/faults"): self._put_faults,
            ("GET", "/v1/book"): self._get_book,
        }

    async def handle(self, request: Request) -> Response:
        if request.path in ("/health/live", "/health/ready"):
            return _json({"status": "ok", "checks": {}})
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._bearer):
            return _json({"error": "TOKEN_WRONG"}, 401)
        try:
            return await self._route(request)
        except Stale:
            highest = "{}.{}".format(*self.book.token)
            return _json({"error": "FENCING_TOKEN_STALE", "highest": highest}, 412)
        except (TradingError, ValueError, KeyError, TypeError, InvalidOperation) as error:
            message = error.message if isinstance(error, TradingError) else repr(error)
            return _json({"error": "INVALID_INPUT", "message": message}, 422)

    async def _route(self, request: Request) -> Response:
        if self.faults.values.latency_seconds:
            await asyncio.sleep(self.faults.values.latency_seconds)
        if request.method == "DELETE" and request.path.startswith("/v1/orders/"):
            return await self._delete_order(request)
        handler = self._routes.get((request.method, request.path))
        if handler is None:
            return _json({"error": "NOT_FOUND"}, 404)
        return await handler(request)

    async def _post_order(self, request: Request) -> Response:
        token = self._fenced(request)
        order = _order(json.loads(request.body))
        known = self.book.order(order["client_order_id"])
        if known is not None and known["content"] != order["content"]:
            return _json({"error": "ORDER_CONFLICT"}, 409)
        if known is None:
            rejected = "the venue was told to reject" if self.faults.reject() else ""
            self.book.add(order, token, rejected)
        else:
            self.book.received_again(order["client_order_id"])
        await self.book.durable()
        if known is None and self.faults.drop_after_accept():
            return Response(drop=True)
        if known is None and self.faults.error_after_accept():
            return _json({"error": "INTERNAL"}, 500)
        return _json(_public(self.book.order(order["client_order_id"])), 200 if known else 201)

    async def _delete_order(self, request: Request) -> Response:
        self._fenced(request)
        client_order_id = request.path.removeprefix("/v1/orders/")
        if self.book.order(client_order_id) is None:
            await self.book.durable()
            return _json({"error": "ORDER_NOT_FOUND"}, 404)
        self.book.cancel(client_order_id)
        await self.book.durable()
        return _json(_public(self.book.order(client_order_id)))

    async def _get_orders(self, request: Request) -> Response:
        if "open" in request.query:
            found = self.book.working()
        else:
            wanted = request.query.get("client_order_id", [])
            found = [row for name in wanted if (row := self.book.order(name)) is not None]
        await self.book.durable()
        return _json({"orders": [_public(row) for row in found]})

    async def _get_fills(self, request: Request) -> Response:
        since = int(request.query.get("since", ["0"])[0])
        fills = self.book.fills_since(since, _FILLS_A_PAGE)
        await self.book.durable()
        return _json({"fills": fills, "more": len(fills) == _FILLS_A_PAGE})

    async def _get_positions(self, request: Request) -> Response:
        positions = self.book.positions()
        await self.book.durable()
        return _json({"positions": positions})

    async def _post_bars(self, request: Request) -> Response:
        self._fenced(request)
        document = json.loads(request.body)
        at = datetime.fromisoformat(document["timestamp"]).astimezone(UTC)
        bars = [_bar(row, at) for row in document["bars"]]
        traded = bool(bars) and self.book.trade_day(bars, self.costs, self.faults)
        await self.book.durable()
        return _json(
            {
                "traded": traded,
                "last_sequence": self.book.last_sequence(),
                "newest_day": self.book.newest_day(),
            }
        )

    async def _put_fence(self, request: Request) -> Response:
        """A new holder of the lease says so: from now on older ones are refused."""
        self._fenced(request)
        await self.book.durable()
        return _json({"highest": "{}.{}".format(*self.book.token)})

    async def _put_faults(self, request: Request) -> Response:
        self.faults = Faults(parse(json.loads(request.body)))
        return _json(self.faults.values.model_dump(mode="json"))

    async def _get_book(self, request: Request) -> Response:
        await self.book.durable()
        document = await asyncio.to_thread(lambda: json.dumps(whole_book(self.book.path)).encode())
        return Response(body=document)

    def _fenced(self, request: Request) -> str:
        text = request.headers.get("x-fencing-token", "")
        timeline, dot, epoch = text.partition(".")
        if not (dot and timeline.isdecimal() and epoch.isdecimal()):
            raise InvalidInput(f"X-Fencing-Token is {text!r}; it takes <timeline>.<epoch>")
        if not self.book.raise_token((int(timeline), int(epoch))):
            raise Stale
        return text


def _order(document: Any) -> Row:
    request = OrderRequest(
        client_order_id=document["client_order_id"],
        symbol=document["symbol"],
        side=document["side"],
        quantity=Decimal(document["quantity"]),
        type=document["type"],
        limit_price=_price(document.get("limit_price")),
        stop_price=_price(document.get("stop_price")),
        strategy=str(document.get("tag", "")),
    )
    validate(request)
    return {
        "client_order_id": request.client_order_id,
        "symbol": request.symbol,
        "side": request.side,
        "quantity": str(request.quantity),
        "type": request.type,
        "limit_price": _text(request.limit_price),
        "stop_price": _text(request.stop_price),
        "tag": request.strategy,
        "content": request.content_hash(),
    }


def _bar(row: Any, at: datetime) -> Bar:
    prices = {name: Decimal(row[name]) for name in ("open", "high", "low", "close")}
    if any(not price.is_finite() for price in prices.values()):
        raise BarInvalid(f"the bar of {row['symbol']} has a price that is no number")
    return Bar(symbol=row["symbol"], timestamp=at, volume=int(row["volume"]), **prices)


def _price(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _text(price: Decimal | None) -> str | None:
    return None if price is None else str(price)


def _public(row: Row | None) -> Row:
    assert row is not None
    return {name: value for name, value in row.items() if name not in ("content", "triggered")}


def _json(document: object, status: int = 200) -> Response:
    return Response(status=status, body=json.dumps(document).encode())
