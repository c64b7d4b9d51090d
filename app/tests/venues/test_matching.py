"""The fill model, by hand and for every order and bar."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import OrderInvalid
from trading.market_data.bars import Bar
from trading.orders.model import OrderType, Side
from trading.venues.costs import Costs
from trading.venues.matching import DayMatch, WorkingOrder, match_day

AT = datetime(2020, 1, 6, 21, tzinfo=UTC)
D = Decimal
COSTS = Costs(
    fee_ratio=D("0.001"),
    fee_per_share=D("0.01"),
    minimum_fee=D(1),
    slippage_ratio=D("0.01"),
    volume_cap_ratio=D("0.1"),
)
BAR = Bar("AAA", AT, open=D(100), high=D(110), low=D(90), close=D(105), volume=1_000)


def _order(
    side: Side,
    type: OrderType,
    limit: int | None = None,
    stop: int | None = None,
    quantity: int = 10,
    **more: object,
) -> WorkingOrder:
    prices = (None if limit is None else D(limit), None if stop is None else D(stop))
    # Each of `more` has a type of its own; mypy sees one for all values.
    return WorkingOrder("o1", "AAA", side, type, D(quantity), *prices, **more)  # type: ignore[arg-type]


def _match(*orders: WorkingOrder, bar: Bar = BAR) -> DayMatch:
    return match_day(orders, {"AAA": bar}, COSTS)


@pytest.mark.parametrize(
    ("order", "price"),
    [
        pytest.param(_order("buy", "market"), "101", id="market buy: open + 1 %"),
        pytest.param(_order("sell", "market"), "99", id="market sell: open - 1 %"),
        pytest.param(_order("buy", "limit", 95), "95", id="limit buy touched"),
        pytest.param(_order("buy", "limit", 90), "90", id="limit buy touched at the low"),
        pytest.param(_order("buy", "limit", 104), "100", id="limit buy better at the open"),
        pytest.param(_order("buy", "limit", 89), None, id="limit buy not touched"),
        pytest.param(_order("sell", "limit", 108), "108", id="limit sell touched"),
        pytest.param(_order("sell", "limit", 96), "100", id="limit sell better at the open"),
        pytest.param(_order("sell", "limit", 111), None, id="limit sell not touched"),
        pytest.param(_order("buy", "stop", stop=105), "106.05", id="stop buy: stop + 1 %"),
        pytest.param(_order("buy", "stop", stop=98), "101", id="stop buy gapped: open + 1 %"),
        pytest.param(_order("buy", "stop", stop=111), None, id="stop buy not touched"),
        pytest.param(_order("sell", "stop", stop=95), "94.05", id="stop sell: stop - 1 %"),
        pytest.param(_order("sell", "stop", stop=102), "99", id="stop sell gapped: open - 1 %"),
        pytest.param(_order("sell", "stop", stop=89), None, id="stop sell not touched"),
        pytest.param(_order("buy", "stop_limit", 106, 105), "105", id="stop-limit buy at the stop"),
        pytest.param(_order("buy", "stop_limit", 104, 105), None, id="limit below the stop rests"),
        pytest.param(_order("buy", "stop_limit", 95, 98), "95", id="gapped, then the limit"),
        pytest.param(_order("buy", "stop_limit", 120, 111), None, id="stop not touched"),
        pytest.param(_order("sell", "stop_limit", 94, 95), "95", id="stop-limit sell at the stop"),
        pytest.param(_order("sell", "stop_limit", 96, 95), None, id="limit above the stop rests"),
        pytest.param(
            _order("buy", "stop_limit", 95, 111, triggered=True), "95", id="triggered before"
        ),
        pytest.param(
            _order("buy", "stop", stop=111, triggered=True), "101", id="rest of a stop: market"
        ),
    ],
)
def test_an_order_fills_at(order: WorkingOrder, price: str | None) -> None:
    fills = _match(order).fills
    assert [fill.price for fill in fills] == ([] if price is None else [D(price)])


@pytest.mark.parametrize(
    ("order", "triggered"),
    [
        pytest.param(_order("buy", "stop_limit", 104, 105), True, id="touched, limit not allowed"),
        pytest.param(_order("buy", "stop_limit", 120, 111), False, id="not touched"),
        pytest.param(_order("buy", "stop_limit", 106, 105), False, id="filled at once"),
        pytest.param(_order("buy", "stop", stop=105, quantity=500), True, id="filled in part"),
        pytest.param(_order("buy", "limit", 89), False, id="has no stop"),
    ],
)
def test_a_touched_stop_is_remembered(order: WorkingOrder, triggered: bool) -> None:
    assert _match(order).triggered == (("o1",) if triggered else ())


def test_volume_goes_to_older_orders_first_and_the_rest_keeps_working() -> None:
    first = _order("buy", "market", quantity=60)
    second = replace(_order("sell", "market", quantity=60), client_order_id="o2")
    third = replace(_order("buy", "market", quantity=60), client_order_id="o3")
    fills = _match(first, second, third).fills  # a tenth of 1,000 shares in all
    assert [(fill.client_order_id, fill.quantity) for fill in fills] == [("o1", 60), ("o2", 40)]


def test_a_suspended_symbol_fills_nothing() -> None:
    assert match_day([_order("buy", "market")], {}, COSTS) == DayMatch((), ())


def test_a_fill_has_an_id_of_its_own_and_the_larger_fee() -> None:
    (fill,) = _match(_order("buy", "market")).fills
    assert fill.fill_id == "o1@20200106T2100"
    assert fill.fee == D("1.11")  # 10 * 0.01 + 10 * 101 * 0.001
    assert COSTS.fee(D(1), D(100)) == 1  # the minimum


@pytest.mark.parametrize(
    ("type", "limit", "stop", "quantity"),
    [
        ("market", 100, None, 1),
        ("limit", None, None, 1),
        ("stop", 100, None, 1),
        ("stop_limit", 100, None, 1),
        ("market", None, None, 0),
        ("market", None, None, -5),
        ("market", None, None, "NaN"),
        ("market", None, None, "Infinity"),
    ],
)
def test_an_order_that_contradicts_itself_cannot_work(
    type: OrderType, limit: int | None, stop: int | None, quantity: object
) -> None:
    with pytest.raises(OrderInvalid):
        _order("buy", type, limit, stop, quantity)  # type: ignore[arg-type]  # wrong on purpose


cents = st.integers(min_value=1, max_value=100_000).map(lambda value: D(value) / 100)


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    low, opened, closed, high = draw(cents), draw(cents), draw(cents), draw(cents)
    every = (low, opened, closed, high)
    return Bar("AAA", AT, opened, max(every), min(every), closed, draw(st.integers(0, 10_000)))


@st.composite
def orders(draw: st.DrawFn) -> WorkingOrder:
    type: OrderType = draw(st.sampled_from(("market", "limit", "stop", "stop_limit")))
    return WorkingOrder(
        client_order_id=f"o{draw(st.integers(0, 10**9))}",
        symbol="AAA",
        side=draw(st.sampled_from(("buy", "sell"))),
        type=type,
        quantity=D(draw(st.integers(1, 2_000))),
        limit_price=draw(cents) if "limit" in type else None,
        stop_price=draw(cents) if "stop" in type else None,
        triggered="stop" in type and draw(st.booleans()),
    )


@given(bar=bars(), working=st.lists(orders(), max_size=8, unique_by=lambda o: o.client_order_id))
def test_no_fill_is_better_than_the_bar_or_worse_than_the_limit(
    bar: Bar, working: list[WorkingOrder]
) -> None:
    match = match_day(working, {"AAA": bar}, COSTS)
    by_id = {order.client_order_id: order for order in working}
    assert len({fill.fill_id for fill in match.fills}) == len(match.fills)
    assert sum((fill.quantity for fill in match.fills), D(0)) <= bar.volume * COSTS.volume_cap_ratio
    for fill in match.fills:
        order = by_id[fill.client_order_id]
        assert 0 < fill.quantity <= order.quantity
        assert fill.fee >= COSTS.minimum_fee
        if order.limit_price is not None:
            assert (order.limit_price - fill.price) * order.sign >= 0
            assert bar.low <= fill.price <= bar.high
        else:  # slippage only ever hurts
            best = bar.low if order.sign > 0 else bar.high
            assert (fill.price - best) * order.sign >= 0


@given(bar=bars(), order=orders())
def test_matching_the_same_twice_gives_the_same(bar: Bar, order: WorkingOrder) -> None:
    assert _match(order, bar=bar) == _match(order, bar=bar)
