"""The limits against an independent model, and each refusal by itself."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import RiskRefused
from trading.orders.model import OrderRequest
from trading.risk.checks import Facts, failures
from trading.values import RiskValues

LIMITS = RiskValues(
    allowed_symbols=("AAPL", "IBM"),
    max_order_quantity=Decimal(100),
    max_order_notional=Decimal(5_000),
    max_position_quantity=Decimal(300),
    max_position_notional=Decimal(20_000),
    max_daily_loss=Decimal(1_000),
    max_orders_per_second=10,
)
CALM = Facts(
    killed=False,
    kill_reason="",
    last_price=Decimal(50),
    position=Decimal(0),
    open_buys=Decimal(0),
    open_sells=Decimal(0),
    daily_loss=Decimal(0),
    orders_last_second=0,
)
ORDER = OrderRequest("a", "AAPL", "buy", Decimal(10))

quantities = st.integers(0, 400).map(Decimal)
facts = st.builds(
    Facts,
    killed=st.booleans(),
    kill_reason=st.just("why"),
    last_price=st.none() | st.integers(1, 100).map(Decimal),
    position=st.integers(-400, 400).map(Decimal),
    open_buys=quantities,
    open_sells=quantities,
    daily_loss=st.integers(-2000, 2000).map(Decimal),
    orders_last_second=st.integers(0, 20),
)
orders = st.builds(
    OrderRequest,
    client_order_id=st.just("a"),
    symbol=st.sampled_from(["AAPL", "IBM", "GOOG"]),
    side=st.sampled_from(["buy", "sell"]),
    quantity=st.integers(1, 150).map(Decimal),
)


def _model(order: OrderRequest, known: Facts) -> set[str]:
    """Written from the meaning of each limit, not from the code."""
    sign = 1 if order.side == "buy" else -1
    coming = known.open_buys if sign > 0 else known.open_sells
    size = abs(known.position + sign * (coming + order.quantity))
    wrong = {
        "KILL_SWITCH_ON": known.killed,
        "SYMBOL_NOT_ALLOWED": order.symbol == "GOOG",
        "ORDER_QUANTITY_LIMIT": order.quantity > 100,
        "DAILY_LOSS_LIMIT": known.daily_loss >= 1_000,
        "ORDER_RATE_LIMIT": known.orders_last_second >= 10,
        "POSITION_LIMIT": size > 300,
        "PRICE_UNKNOWN": known.last_price is None,
        "NOTIONAL_LIMIT": known.last_price is not None
        and (order.quantity * known.last_price > 5_000 or size * known.last_price > 20_000),
    }
    return {name for name, failed in wrong.items() if failed}


@given(orders, facts)
def test_the_checks_agree_with_the_model(order: OrderRequest, known: Facts) -> None:
    assert {refusal.name for refusal in failures(order, known, LIMITS)} == _model(order, known)


def test_a_calm_day_lets_an_order_pass() -> None:
    assert failures(ORDER, CALM, LIMITS) == ()


def test_a_buyers_own_limit_above_the_price_counts() -> None:
    order = OrderRequest("a", "AAPL", "buy", Decimal(100), "limit", Decimal("50.01"))
    assert [refusal.name for refusal in failures(order, CALM, LIMITS)] == ["NOTIONAL_LIMIT"]


def test_a_refusal_can_be_raised_and_tells_both_numbers() -> None:
    order = OrderRequest("a", "AAPL", "buy", Decimal(101))
    (refusal, *_) = failures(order, CALM, LIMITS)
    with pytest.raises(RiskRefused, match="101 shares is above 100"):
        raise refusal
    assert refusal.machine() == "ORDER_QUANTITY_LIMIT: quantity=101, max_order_quantity=100"
