"""Whether an order makes sense in itself, before anybody asks whether it is allowed."""

from __future__ import annotations

import re
from decimal import Decimal

from trading.errors import OrderInvalid
from trading.orders.model import OrderRequest

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_MOST = Decimal("1e9")
_NEEDS = {
    "market": (False, False),
    "limit": (True, False),
    "stop": (False, True),
    "stop_limit": (True, True),
}


def validate(request: OrderRequest) -> None:
    """Raises `OrderInvalid` with the first thing that is wrong and its value."""
    if not _ID.fullmatch(request.client_order_id):
        _refuse("client_order_id", request.client_order_id, "1 to 100 of A-Z a-z 0-9 . _ : -")
    if not request.symbol.isprintable():
        _refuse("symbol", request.symbol, "printable characters")
    if request.side not in ("buy", "sell"):
        _refuse("side", request.side, "buy or sell")
    if request.type not in _NEEDS:
        _refuse("type", request.type, "one of " + ", ".join(_NEEDS))
    _number("quantity", request.quantity)
    needs_limit, needs_stop = _NEEDS[request.type]
    _price("limit_price", request.limit_price, request.type, needs_limit)
    _price("stop_price", request.stop_price, request.type, needs_stop)


def _price(name: str, price: Decimal | None, order_type: str, needed: bool) -> None:
    if needed and price is None:
        _refuse(name, price, f"a price: a {order_type} order needs one")
    if not needed and price is not None:
        _refuse(name, price, f"absent: a {order_type} order has none")
    if price is not None:
        _number(name, price)


def _number(name: str, value: Decimal) -> None:
    if expected := demanded(value):
        _refuse(name, value, expected)


def demanded(value: Decimal) -> str:
    """What a quantity or a price that no venue takes must be instead; empty where it is right."""
    if not value.is_finite() or not 0 < value <= _MOST:
        return f"above 0 and at most {_MOST:f}"
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -6:
        return "a number of at most 6 decimal places"
    return ""


def _refuse(field: str, value: object, expected: str) -> None:
    shown = str(value)[:100]
    raise OrderInvalid(f"{field} is {shown!r}; it must be {expected}", field=field, value=shown)
