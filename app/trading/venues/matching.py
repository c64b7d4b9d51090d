"""How orders fill against a daily bar. Pure: the backtest and the paper venue both call this.

Only orders that were there before the bar may be given to it; so a decision made on a close fills
on the next bar at the earliest.

market      at the open, with slippage
limit       when the bar touches the limit: at the open if that is better, else at the limit
stop        when the bar touches the stop: at the open if it gapped beyond, else at the stop, with
            slippage; what the volume leaves over is a market order from then on
stop-limit  touched, it is a limit order: for the whole bar if the bar opened beyond the stop, else
            it fills at the stop where the limit allows that, or rests for later bars

The path inside a bar is unknown: where it matters, the outcome worse for the trader is taken. All
fills of a symbol together get at most `volume_cap_ratio` of the bar's volume, older orders first;
what is left stays working.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from trading.errors import OrderInvalid
from trading.market_data.bars import Bar
from trading.orders.model import OrderType, Side
from trading.venues.costs import Costs


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """`quantity`: shares still open. `triggered`: its stop was touched by an earlier bar."""

    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    triggered: bool = False

    def __post_init__(self) -> None:
        needs_limit, needs_stop = "limit" in self.type, "stop" in self.type
        if needs_limit != (self.limit_price is not None) or needs_stop != (
            self.stop_price is not None
        ):
            raise OrderInvalid(
                f"order {self.client_order_id}: a {self.type} order has limit_price "
                f"{self.limit_price} and stop_price {self.stop_price}",
                client_order_id=self.client_order_id,
                type=self.type,
            )
        if not (self.quantity.is_finite() and self.quantity > 0):
            raise OrderInvalid(
                f"order {self.client_order_id}: quantity {self.quantity} is not above 0",
                client_order_id=self.client_order_id,
                quantity=self.quantity,
            )

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self.side == "buy" else -1

    def with_quantity(self, quantity: Decimal) -> WorkingOrder:
        """The same order with `quantity` shares still open."""
        return replace(self, quantity=quantity)


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill: at most one for each order and bar, which its id is made of."""

    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    bar_timestamp: datetime

    @property
    def fill_id(self) -> str:
        return f"{self.client_order_id}@{self.bar_timestamp:%Y%m%dT%H%M}"


@dataclass(frozen=True, slots=True)
class DayMatch:
    """`triggered`: ids of orders whose stop was touched and not filled; keep that in mind."""

    fills: tuple[Execution, ...]
    triggered: tuple[str, ...]


def match_day(orders: Sequence[WorkingOrder], bars: Mapping[str, Bar], costs: Costs) -> DayMatch:
    """Fill `orders`, oldest first, against the bars of one day; symbols without a bar rest."""
    left = {
        symbol: (bar.volume * costs.volume_cap_ratio).to_integral_value(ROUND_DOWN)
        for symbol, bar in bars.items()
    }
    fills: list[Execution] = []
    triggered: list[str] = []
    for order in orders:
        bar = bars.get(order.symbol)
        if bar is None:
            continue
        price = _price(order, bar, costs)
        quantity = Decimal(0) if price is None else min(order.quantity, left[order.symbol])
        if quantity < order.quantity and _triggers(order, bar):
            triggered.append(order.client_order_id)
        if price is not None and quantity > 0:
            left[order.symbol] -= quantity
            fills.append(execution(order, quantity, price, costs, bar.timestamp))
    return DayMatch(tuple(fills), tuple(triggered))


def execution(
    order: WorkingOrder, quantity: Decimal, price: Decimal, costs: Costs, at: datetime
) -> Execution:
    """A fill of `quantity` shares at `price`, with its fee."""
    return Execution(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=quantity,
        price=price,
        fee=costs.fee(quantity, price),
        bar_timestamp=at,
    )


def _price(order: WorkingOrder, bar: Bar, costs: Costs) -> Decimal | None:
    """What a share costs on this bar, None when the order does not fill."""
    if order.type == "market" or (order.type == "stop" and order.triggered):
        return costs.slipped(bar.open, order.sign)
    if order.type == "stop":
        reached = _stop_price(order, bar)
        return None if reached is None else costs.slipped(reached, order.sign)
    if order.type == "limit" or order.triggered:
        return _limit_price(order, bar)
    return _stop_limit_price(order, bar)


def _limit_price(order: WorkingOrder, bar: Bar) -> Decimal | None:
    limit = _given(order.limit_price)
    if order.sign > 0:
        return min(bar.open, limit) if bar.low <= limit else None
    return max(bar.open, limit) if bar.high >= limit else None


def _stop_price(order: WorkingOrder, bar: Bar) -> Decimal | None:
    if not _touches_stop(order, bar):
        return None
    stop = _given(order.stop_price)
    return max(bar.open, stop) if order.sign > 0 else min(bar.open, stop)


def _stop_limit_price(order: WorkingOrder, bar: Bar) -> Decimal | None:
    """On the bar that touches the stop; afterwards it is a limit order."""
    reached = _stop_price(order, bar)
    if reached is None:
        return None
    if reached == bar.open:  # it opened at or beyond the stop: a limit order for the whole bar
        return _limit_price(order, bar)
    limit = _given(order.limit_price)
    allowed = reached <= limit if order.sign > 0 else reached >= limit
    return reached if allowed else None


def _triggers(order: WorkingOrder, bar: Bar) -> bool:
    return order.stop_price is not None and not order.triggered and _touches_stop(order, bar)


def _touches_stop(order: WorkingOrder, bar: Bar) -> bool:
    stop = _given(order.stop_price)
    return bar.high >= stop if order.sign > 0 else bar.low <= stop


def _given(price: Decimal | None) -> Decimal:
    assert price is not None  # (WorkingOrder refuses to exist without it)
    return price
