"""The limits, as a pure function of facts: every failing one is reported, not only the first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from trading.errors import (
    DailyLossLimit,
    KillSwitchOn,
    NotionalLimit,
    OrderQuantityLimit,
    OrderRateLimit,
    PositionLimit,
    PriceUnknown,
    RiskRefused,
    SymbolNotAllowed,
)
from trading.orders.model import OrderRequest
from trading.values import RiskValues


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows at the moment of the check; quantities in shares, money in USD.

    position    of the symbol over all strategies, negative for short
    open_buys, open_sells   what open orders may still add to and take from it
    daily_loss  equity before the newest trading day minus equity now; negative for a profit
    """

    killed: bool
    kill_reason: str
    last_price: Decimal | None
    position: Decimal
    open_buys: Decimal
    open_sells: Decimal
    daily_loss: Decimal
    orders_last_second: int


def failures(request: OrderRequest, facts: Facts, limits: RiskValues) -> tuple[RiskRefused, ...]:
    """Every reason against this order; an empty tuple lets it pass."""
    return tuple(_failures(request, facts, limits))


def reference_price(request: OrderRequest, facts: Facts) -> Decimal | None:
    """What a share may cost at worst: a buyer's own limit or stop if above the last price."""
    prices = [facts.last_price, request.limit_price, request.stop_price]
    known = [price for price in prices if price is not None]
    return max(known) if facts.last_price is not None else None


def worst_position(request: OrderRequest, facts: Facts) -> Decimal:
    """The position if this order and every open one on its side fills."""
    if request.side == "buy":
        return facts.position + facts.open_buys + request.quantity
    return facts.position - facts.open_sells - request.quantity


def only_reduces(request: OrderRequest, facts: Facts) -> bool:
    """Whether it brings the position nearer to zero, not past it, whatever open orders fill.

    Open orders of its own side count as filled before it: what they leave is all that it may take.
    Those of the other side only widen the room, if they fill; so they do not count.
    """
    worst = worst_position(request, facts)
    return worst <= 0 if request.side == "buy" else worst >= 0


def _failures(request: OrderRequest, facts: Facts, limits: RiskValues) -> Iterator[RiskRefused]:
    if facts.killed:
        yield KillSwitchOn(
            f"the kill switch is on ({facts.kill_reason}); a person re-arms it with a reason",
            reason=facts.kill_reason,
        )
    if request.symbol not in limits.allowed_symbols:
        yield SymbolNotAllowed(
            f"{request.symbol} may not be traded here; allowed: "
            f"{', '.join(limits.allowed_symbols)}",
            symbol=request.symbol,
        )
    if request.quantity > limits.max_order_quantity:
        yield OrderQuantityLimit(
            f"an order of {request.quantity} shares is above {limits.max_order_quantity}",
            quantity=request.quantity,
            max_order_quantity=limits.max_order_quantity,
        )
    if facts.daily_loss >= limits.max_daily_loss:
        yield DailyLossLimit(
            f"today's loss of {facts.daily_loss} has reached {limits.max_daily_loss}",
            daily_loss=facts.daily_loss,
            max_daily_loss=limits.max_daily_loss,
        )
    if facts.orders_last_second >= limits.max_orders_per_second:
        yield OrderRateLimit(
            f"{facts.orders_last_second} orders in the last second; at most "
            f"{limits.max_orders_per_second}, try again in a second",
            orders=facts.orders_last_second,
            max_orders_per_second=limits.max_orders_per_second,
        )
    yield from _exposure_failures(request, facts, limits)


def _exposure_failures(
    request: OrderRequest, facts: Facts, limits: RiskValues
) -> Iterator[RiskRefused]:
    # A position above its limit, say after a rise in price, must not lock its owner in.
    bound = not only_reduces(request, facts)
    position = abs(worst_position(request, facts))
    if bound and position > limits.max_position_quantity:
        yield PositionLimit(
            f"the position in {request.symbol} could become {position} shares, above "
            f"{limits.max_position_quantity}",
            position=position,
            max_position_quantity=limits.max_position_quantity,
        )
    price = reference_price(request, facts)
    if price is None:
        yield PriceUnknown(
            f"there is no price of {request.symbol} yet; wait for its first bar",
            symbol=request.symbol,
        )
        return
    yield from _notional_failures(request, limits, price, position if bound else Decimal(0))


def _notional_failures(
    request: OrderRequest, limits: RiskValues, price: Decimal, position: Decimal
) -> Iterator[RiskRefused]:
    notional = request.quantity * price
    if notional > limits.max_order_notional:
        yield NotionalLimit(
            f"the order is worth {notional}, above {limits.max_order_notional}",
            notional=notional,
            max_order_notional=limits.max_order_notional,
        )
    exposure = position * price
    if exposure > limits.max_position_notional:
        yield NotionalLimit(
            f"the position in {request.symbol} could be worth {exposure}, above "
            f"{limits.max_position_notional}",
            notional=exposure,
            max_position_notional=limits.max_position_notional,
        )
