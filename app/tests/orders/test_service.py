"""Submitting: checked, idempotent, and no race opens a limit."""

from __future__ import annotations

import threading
from collections import Counter
from decimal import Decimal

import psycopg
import pytest
from world import LIMITS

from trading.errors import OrderConflict, OrderInvalid
from trading.orders.model import OrderRequest, State, SubmitResult
from trading.orders.rows import find, newest
from trading.orders.service import cancel, submit
from trading.risk import killswitch
from trading.values import RiskValues


@pytest.fixture
def priced(connection: psycopg.Connection) -> psycopg.Connection:
    """A database in which a share of AAPL costs 100."""
    connection.execute("insert into trading.instruments (symbol, last_price) values ('AAPL', 100)")
    return connection


def _order(name: str = "a", **changes: object) -> OrderRequest:
    content = {"symbol": "AAPL", "side": "buy", "quantity": Decimal(1), **changes}
    # Each field has a type of its own; mypy sees one for all values.
    return OrderRequest(client_order_id=name, **content)  # type: ignore[arg-type]


def _submit(
    connection: psycopg.Connection, request: OrderRequest, limits: RiskValues = LIMITS
) -> SubmitResult:
    return submit(connection, request, limits=limits, release="r1")


def test_an_accepted_order_is_new_and_stored(priced: psycopg.Connection) -> None:
    result = _submit(priced, _order())
    assert result.created
    assert result.order is not None
    assert find(priced, "a") == result.order == newest(priced)[0]
    assert result.order.state is State.NEW


def test_the_same_order_again_is_the_same_order(priced: psycopg.Connection) -> None:
    first = _submit(priced, _order(quantity=Decimal(1)))
    again = _submit(priced, _order(quantity=Decimal("1.0")))
    assert (again.order, again.created) == (first.order, False)


@pytest.mark.parametrize(
    "change",
    [{"quantity": Decimal(2)}, {"side": "sell"}, {"strategy": "other"},
     {"type": "limit", "limit_price": Decimal(9)}],
)  # fmt: skip
def test_the_same_id_with_other_content_is_a_conflict(
    priced: psycopg.Connection, change: dict[str, object]
) -> None:
    first = _submit(priced, _order())
    with pytest.raises(OrderConflict, match="'a' was used before"):
        _submit(priced, _order(**change))
    assert newest(priced) == [first.order]


def test_a_hundred_times_at_once_is_one_order(
    priced: psycopg.Connection, database_url: str
) -> None:
    results = _at_once(database_url, [_order()] * 100, LIMITS)
    assert Counter(result.created for result in results) == {True: 1, False: 99}


def test_orders_at_once_never_pass_the_limit_together(
    priced: psycopg.Connection, database_url: str
) -> None:
    limits = LIMITS.model_copy(update={"max_position_quantity": Decimal(10)})
    results = _at_once(database_url, [_order(f"o{number}") for number in range(64)], limits)
    assert sum(result.accepted for result in results) == 10
    assert {r.name for result in results for r in result.refusals} == {"POSITION_LIMIT"}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"quantity": Decimal("NaN")}, id="NaN"),
        pytest.param({"quantity": Decimal("Infinity")}, id="infinite"),
        pytest.param({"quantity": Decimal(0)}, id="zero"),
        pytest.param({"quantity": Decimal(-1)}, id="negative"),
        pytest.param({"quantity": Decimal("1e30")}, id="huge"),
        pytest.param({"quantity": Decimal("0.0000001")}, id="too many places"),
        pytest.param({"type": "limit"}, id="limit without price"),
        pytest.param({"limit_price": Decimal(1)}, id="market with price"),
        pytest.param({"type": "stop_limit", "limit_price": Decimal(1)}, id="no stop"),
        pytest.param({"symbol": "AAPL\x00"}, id="symbol"),
        pytest.param({"side": "hold"}, id="side"),
        pytest.param({"type": "iceberg"}, id="type"),
        pytest.param({"client_order_id": "a/../b"}, id="id"),
        pytest.param({"client_order_id": ""}, id="no id"),
    ],
)
def test_an_order_that_contradicts_itself_is_refused(
    priced: psycopg.Connection, change: dict[str, object]
) -> None:
    content = {"client_order_id": "a", "symbol": "AAPL", "side": "buy", "quantity": Decimal(1)}
    with pytest.raises(OrderInvalid):
        # Wrong types are the point.
        _submit(priced, OrderRequest(**{**content, **change}))  # type: ignore[arg-type]
    assert newest(priced) == []


def test_every_failing_reason_is_returned(priced: psycopg.Connection) -> None:
    killswitch.trip(priced, "a test")
    limits = LIMITS.model_copy(update={"max_orders_per_second": 0})
    result = _submit(priced, _order(symbol="XYZ", quantity=Decimal(10**7)), limits)
    assert [refusal.name for refusal in result.refusals] == [
        "KILL_SWITCH_ON",
        "SYMBOL_NOT_ALLOWED",
        "ORDER_QUANTITY_LIMIT",
        "ORDER_RATE_LIMIT",
        "POSITION_LIMIT",
        "PRICE_UNKNOWN",
    ]
    assert newest(priced) == []


def test_the_kill_switch_is_latched_and_wants_reasons(priced: psycopg.Connection) -> None:
    from trading.errors import InvalidInput

    with pytest.raises(InvalidInput):
        killswitch.trip(priced, "  ")
    killswitch.trip(priced, "first", "Ada")
    killswitch.trip(priced, "second", "Bob")
    assert killswitch.read(priced).reason == "first"
    killswitch.rearm(priced, "calm again", "Ada")
    assert _submit(priced, _order()).accepted
    log = priced.execute("select killed, reason from trading.risk_log order by id").fetchall()
    assert log == [(True, "first"), (False, "calm again")]


def test_an_unsent_order_is_cancelled_at_once(priced: psycopg.Connection) -> None:
    _submit(priced, _order())
    assert cancel(priced, "a").state is State.CANCELED
    assert cancel(priced, "a").state is State.CANCELED


def test_a_daily_loss_at_its_limit_stops_new_orders(priced: psycopg.Connection) -> None:
    priced.execute(
        """insert into trading.equity (bar_timestamp, realized_profit, unrealized_profit, fees,
        equity) values ('2000-01-03', 0, 0, 0, 1000), ('2000-01-04', 0, 0, 0, 900)"""
    )
    limits = LIMITS.model_copy(update={"max_daily_loss": Decimal(100)})
    assert [r.name for r in _submit(priced, _order(), limits).refusals] == ["DAILY_LOSS_LIMIT"]
    limits = LIMITS.model_copy(update={"max_daily_loss": Decimal(101)})
    assert _submit(priced, _order(), limits).accepted


def _at_once(url: str, orders: list[OrderRequest], limits: RiskValues) -> list[SubmitResult]:
    results: list[SubmitResult] = []
    waiting = iter(orders)
    lock = threading.Lock()

    def work() -> None:
        with psycopg.connect(url, autocommit=True) as own:
            while True:
                with lock:
                    order = next(waiting, None)
                if order is None:
                    return
                results.append(_submit(own, order, limits))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == len(orders)
    return results
