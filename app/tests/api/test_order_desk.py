"""Orders that arrive at once share a transaction, and nothing else."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from world import LIMITS

from trading.api.database import Database
from trading.api.order_desk import OrderDesk
from trading.errors import DatabaseUnavailable, OrderConflict, OrderInvalid
from trading.orders.model import OrderRequest, SubmitResult
from trading.orders.rows import newest
from trading.risk import killswitch
from trading.values import RiskValues


@pytest.fixture
def priced(connection: psycopg.Connection) -> psycopg.Connection:
    """A database in which a share of AAPL costs 100."""
    connection.execute("insert into trading.instruments (symbol, last_price) values ('AAPL', 100)")
    return connection


def order(name: str, **changes: Any) -> OrderRequest:
    content = {"symbol": "AAPL", "side": "buy", "quantity": Decimal(1), **changes}
    return OrderRequest(client_order_id=name, **content)


def at_once(
    url: str, orders: Sequence[OrderRequest], limits: RiskValues = LIMITS
) -> list[SubmitResult | BaseException]:
    async def work() -> list[SubmitResult | BaseException]:
        database = Database(url)
        desk = OrderDesk(database, limits, "r1")
        try:
            asked = (desk.submit(one) for one in orders)
            return await asyncio.gather(*asked, return_exceptions=True)
        finally:
            await desk.close()
            await database.close()

    return asyncio.run(work())


def accepted(answers: Sequence[SubmitResult | BaseException]) -> list[SubmitResult]:
    return [a for a in answers if isinstance(a, SubmitResult) and a.accepted]


def test_orders_at_once_are_few_transactions_in_the_order_they_came(
    priced: psycopg.Connection, database_url: str
) -> None:
    answers = at_once(database_url, [order(f"o{number:03}") for number in range(150)])
    assert len(accepted(answers)) == 150
    assert [o.client_order_id for o in reversed(newest(priced, 150))] == [
        f"o{number:03}" for number in range(150)
    ]
    row = priced.execute("select count(distinct xmin::text) from trading.orders").fetchone()
    assert row is not None
    assert row[0] <= 3
    row = priced.execute("select count(*) from trading.order_events").fetchone()
    assert row == (150,)


def test_the_limit_holds_within_a_batch(priced: psycopg.Connection, database_url: str) -> None:
    limits = LIMITS.model_copy(update={"max_position_quantity": Decimal(10)})
    answers = at_once(database_url, [order(f"o{number}") for number in range(64)], limits)
    assert len(accepted(answers)) == 10
    refusals = [r.name for a in answers if isinstance(a, SubmitResult) for r in a.refusals]
    assert Counter(refusals) == {"POSITION_LIMIT": 54}


def test_the_same_id_at_once_is_one_order_and_other_content_a_conflict(
    priced: psycopg.Connection, database_url: str
) -> None:
    answers = at_once(database_url, [*([order("a")] * 20), order("a", quantity=Decimal(2))])
    assert Counter(answer.created for answer in accepted(answers)) == {True: 1, False: 19}
    assert [type(a) for a in answers if isinstance(a, BaseException)] == [OrderConflict]
    assert len(newest(priced)) == 1


def test_a_bad_one_is_not_the_end_of_its_neighbours(
    priced: psycopg.Connection, database_url: str
) -> None:
    unreadable, absurd = order("b", strategy="\x00"), order("c", quantity=Decimal(-1))
    answers = at_once(database_url, [order("a"), unreadable, absurd, order("d")])
    assert len(accepted(answers)) == 2
    assert isinstance(answers[1], psycopg.DataError)
    assert isinstance(answers[2], OrderInvalid)


def test_a_kill_switch_refuses_all_of_them(priced: psycopg.Connection, database_url: str) -> None:
    killswitch.trip(priced, "a test")
    answers = at_once(database_url, [order("a"), order("b")])
    assert [r.name for a in answers if isinstance(a, SubmitResult) for r in a.refusals] == [
        "KILL_SWITCH_ON"
    ] * 2
    assert newest(priced) == []


def test_without_a_database_each_is_told_so() -> None:
    answers = at_once("postgresql://nobody@127.0.0.1:1/none", [order("a"), order("b")])
    assert [type(answer) for answer in answers] == [DatabaseUnavailable] * 2


def test_a_caller_that_goes_away_leaves_the_others_their_answers(
    priced: psycopg.Connection, database_url: str
) -> None:
    async def work() -> SubmitResult:
        database = Database(database_url)
        desk = OrderDesk(database, LIMITS, "r1")
        gone = asyncio.create_task(desk.submit(order("gone")))
        stays = asyncio.create_task(desk.submit(order("stays")))
        await asyncio.sleep(0)
        gone.cancel()
        try:
            return await stays
        finally:
            await desk.close()
            await database.close()

    assert asyncio.run(work()).accepted
