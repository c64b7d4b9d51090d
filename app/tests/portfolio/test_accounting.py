"""Positions from fills: money is neither made nor lost by bookkeeping."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from trading.portfolio.accounting import Holding

fills = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell"]),
        st.integers(1, 500).map(Decimal),
        st.decimals("0.01", "900", places=4),
        st.decimals("0", "5", places=4),
    ),
    max_size=30,
)


@given(fills, st.decimals("0.01", "900", places=2))
def test_profit_and_fees_equal_the_cash_that_flowed(
    made: list[tuple[str, Decimal, Decimal, Decimal]], price: Decimal
) -> None:
    holding, cash = Holding(), Decimal(0)
    for side, quantity, paid, fee in made:
        holding = holding.after(side, quantity, paid, fee)
        cash += quantity * paid * (-1 if side == "buy" else 1) - fee
    worth = cash + holding.quantity * price
    unrealized = (price - holding.average_price) * holding.quantity
    booked = holding.realized_profit + unrealized - holding.fees
    # 8 places are kept for each average; a position has at most 15,000 shares here.
    assert abs(worth - booked) < Decimal("0.01")


def test_adding_averages_reducing_realises_crossing_does_both() -> None:
    holding = Holding().after("buy", Decimal(10), Decimal(100), Decimal(1))
    holding = holding.after("buy", Decimal(10), Decimal(110), Decimal(1))
    assert (holding.quantity, holding.average_price) == (20, 105)
    holding = holding.after("sell", Decimal(5), Decimal(125), Decimal(1))
    assert (holding.quantity, holding.realized_profit) == (15, 100)  # 5 × (125 - 105)
    holding = holding.after("sell", Decimal(25), Decimal(95), Decimal(1))
    assert (holding.quantity, holding.average_price) == (-10, 95)
    assert holding.realized_profit == -50  # 100 + 15 × (95 - 105)
    assert holding.fees == 4
