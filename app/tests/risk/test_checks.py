"""The limits against an independent model, and each refusal by itself."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import RiskRefused
from trading.orders.model import OrderRequest, Side
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
    if _only_reduces(order, known):
        size = Decimal(0)
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


def _only_reduces(order: OrderRequest, known: Facts) -> bool:
    """Nearer to zero and not beyond it, whichever of the open orders fill."""
    change = order.quantity if order.side == "buy" else -order.quantity
    befores = [
        known.position + bought - sold
        for bought in (0, known.open_buys)
        for sold in (0, known.open_sells)
    ]
    return all(
        abs(before + change) < abs(before) and (before + change) * before >= 0 for before in befores
    )


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


# Nothing fits a position limit of less than a share: what passes, passes because it reduces.
FULL = LIMITS.model_copy(
    update={"max_position_quantity": Decimal("0.5"), "max_position_notional": Decimal("0.5")}
)
HELD = replace(CALM, position=Decimal(4_500))


def _worst(position: Decimal, buys: Decimal, sells: Decimal) -> Decimal:
    return max(abs(position + buys), abs(position - sells))


@given(
    side=st.sampled_from(["buy", "sell"]),
    quantity=st.integers(1, 100).map(Decimal),
    position=st.integers(-400, 400).map(Decimal),
    buys=quantities,
    sells=quantities,
    bought=st.integers(0, 400).map(Decimal),
    sold=st.integers(0, 400).map(Decimal),
)
def test_no_order_that_passes_above_the_limit_makes_the_worst_position_larger(
    side: Side,
    quantity: Decimal,
    position: Decimal,
    buys: Decimal,
    sells: Decimal,
    bought: Decimal,
    sold: Decimal,
) -> None:
    order = OrderRequest("a", "AAPL", side, quantity)
    known = replace(CALM, position=position, open_buys=buys, open_sells=sells)
    if failures(order, known, FULL):
        return
    more_buys, more_sells = (quantity, 0) if side == "buy" else (0, quantity)
    after = _worst(position, buys + more_buys, sells + more_sells)
    assert after <= _worst(position, buys, sells)
    # Nor does it in any course of events between nothing and everything filled.
    between = position + min(bought, buys) - min(sold, sells)
    end = between + more_buys - more_sells
    assert abs(end) < abs(between)
    assert end * between >= 0


@pytest.mark.parametrize("position", [4_500, -4_500])
def test_a_position_above_its_limit_can_be_left_in_parts(position: int) -> None:
    known = replace(CALM, position=Decimal(position))
    side: Side = "sell" if position > 0 else "buy"
    order = OrderRequest("a", "AAPL", side, Decimal(100))
    for _ in range(45):
        assert failures(order, known, LIMITS) == ()
        change = -100 if position > 0 else 100
        known = replace(known, position=known.position + change)
    assert known.position == 0


def test_a_part_above_the_order_limits_is_refused_for_these_alone() -> None:
    refusals = failures(OrderRequest("a", "AAPL", "sell", Decimal(900)), HELD, LIMITS)
    assert [refusal.name for refusal in refusals] == ["ORDER_QUANTITY_LIMIT", "NOTIONAL_LIMIT"]
    assert "the order is worth" in refusals[1].message


@pytest.mark.parametrize(
    ("known", "side", "passes"),
    [
        pytest.param(HELD, "sell", True, id="nearer to zero"),
        pytest.param(HELD, "buy", False, id="away from zero"),
        pytest.param(replace(HELD, position=Decimal(100)), "sell", True, id="to zero"),
        pytest.param(replace(HELD, position=Decimal(99)), "sell", False, id="past zero"),
        pytest.param(replace(HELD, open_sells=Decimal(4_400)), "sell", True, id="the last part"),
        pytest.param(
            replace(HELD, open_sells=Decimal(4_401)), "sell", False, id="sold already by others"
        ),
        pytest.param(
            replace(CALM, open_buys=Decimal(4_500)), "sell", False, id="only if others fill"
        ),
    ],
)
def test_an_order_reduces_whatever_becomes_of_the_open_ones(
    known: Facts, side: Side, passes: bool
) -> None:
    order = OrderRequest("a", "AAPL", side, Decimal(100))
    assert (failures(order, known, FULL) == ()) == passes
