"""Orders judged together get the answers they would have got one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from world import LIMITS

from trading.errors import OrderConflict
from trading.orders.acceptance import Accepted, Decision, Known, decide
from trading.orders.model import OrderRequest
from trading.risk.checks import Facts

TIGHT = LIMITS.model_copy(update={"max_position_quantity": Decimal(12), "max_orders_per_second": 6})
SYMBOLS = ("AAPL", "MSFT")
EMPTY = Facts(False, "", Decimal(100), Decimal(0), Decimal(0), Decimal(0), Decimal(0), 0)

requests = st.builds(
    OrderRequest,
    client_order_id=st.sampled_from("abcdefgh"),
    symbol=st.sampled_from(SYMBOLS),
    side=st.sampled_from(("buy", "sell")),
    quantity=st.integers(1, 9).map(Decimal),
    type=st.just("market"),
)


def one_by_one(asked: Sequence[OrderRequest]) -> list[Decision]:
    """What the database would say if each were written before the next one comes."""
    decisions: list[Decision] = []
    written: dict[str, OrderRequest] = {}
    for request in asked:
        facts = {symbol: facts_after(list(written.values()), symbol) for symbol in SYMBOLS}
        hashes = {name: order.content_hash() for name, order in written.items()}
        decision = decide([request], facts, hashes, TIGHT)[0]
        if isinstance(decision, Accepted):
            written[request.client_order_id] = request
        decisions.append(decision)
    return decisions


def facts_after(written: Sequence[OrderRequest], symbol: str) -> Facts:
    def open_on(side: str) -> Decimal:
        mine = (o.quantity for o in written if o.symbol == symbol and o.side == side)
        return sum(mine, Decimal(0))

    return replace(
        EMPTY,
        open_buys=open_on("buy"),
        open_sells=open_on("sell"),
        orders_last_second=len(written),
    )


def plain(decision: Decision) -> object:
    if isinstance(decision, OrderConflict):
        return decision.message
    if isinstance(decision, tuple):
        return [refusal.message for refusal in decision]
    return decision


@given(asked=st.lists(requests, max_size=12))
def test_together_is_as_one_after_the_other(asked: list[OrderRequest]) -> None:
    together = decide(asked, dict.fromkeys(SYMBOLS, EMPTY), {}, TIGHT)
    assert [plain(d) for d in together] == [plain(d) for d in one_by_one(asked)]


def test_an_id_twice_in_a_batch_is_one_order_or_a_conflict() -> None:
    first = OrderRequest("a", symbol="AAPL", side="buy", quantity=Decimal(1), type="market")
    other = replace(first, quantity=Decimal(2))
    decisions = decide([first, first, other], {"AAPL": EMPTY}, {}, TIGHT)
    assert isinstance(decisions[0], Accepted)
    assert decisions[1] == Known(first)
    assert isinstance(decisions[2], OrderConflict)
