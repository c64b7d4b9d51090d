"""Orders through the running server, with a real database behind it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest


def test_an_accepted_order_is_a_row_in_state_new(api: Any, database_url: str) -> None:
    status, order = api.client.order("one")
    assert status == 201
    assert (order["client_order_id"], order["state"], order["quantity"]) == ("one", "NEW", "1")
    with psycopg.connect(database_url) as connection:
        row = connection.execute("select source, release, state from trading.orders").fetchone()
    assert row == ("api", "r-test", "NEW")


def test_the_same_key_with_the_same_order_gives_the_same_order(api: Any) -> None:
    assert api.client.order("one")[0] == 201
    status, again = api.client.order("one", quantity="1.0")
    assert (status, again["quantity"]) == (200, "1")
    assert len(api.client.get("/api/orders")["orders"]) == 1


def test_the_same_key_with_another_order_is_a_conflict(api: Any) -> None:
    api.client.order("one")
    status, answer = api.client.order("one", quantity="2")
    assert (status, answer["error"], answer["code"]) == (409, "ORDER_CONFLICT", 4004)
    assert api.client.get("/api/orders/one")["order"]["quantity"] == "1"


def test_the_same_key_twenty_times_at_once_is_one_order(api: Any) -> None:
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: type(api.client)(
            api.client.port, api.client.token).order("same"), range(20)))  # fmt: skip
    assert sorted(status for status, _ in answers) == [200] * 19 + [201]
    assert len(api.client.get("/api/orders")["orders"]) == 1


BAD_ORDERS = [
    pytest.param({"quantity": "-1"}, 422, "ORDER_INVALID", id="negative"),
    pytest.param({"quantity": 0}, 422, "ORDER_INVALID", id="zero"),
    pytest.param({"quantity": "NaN"}, 422, "INVALID_INPUT", id="nan"),
    pytest.param({"quantity": "Infinity"}, 422, "INVALID_INPUT", id="infinity"),
    pytest.param({"quantity": "1e30"}, 422, "ORDER_INVALID", id="huge"),
    pytest.param({"quantity": "100000"}, 422, "RISK_REFUSED", id="above-the-limit"),
    pytest.param({"quantity": "0.0000001"}, 422, "ORDER_INVALID", id="too-fine"),
    pytest.param({"quantity": None}, 422, "INVALID_INPUT", id="null"),
    pytest.param({"quantity": "one"}, 422, "INVALID_INPUT", id="words"),
    pytest.param({"symbol": "NONE"}, 422, "RISK_REFUSED", id="unknown-symbol"),
    pytest.param({"symbol": "'; drop table x"}, 422, "INVALID_INPUT", id="sql"),
    pytest.param({"side": "hold"}, 422, "INVALID_INPUT", id="side"),
    pytest.param({"type": "limit"}, 422, "ORDER_INVALID", id="limit-without-price"),
    pytest.param({"limit_price": "5"}, 422, "ORDER_INVALID", id="market-with-price"),
    pytest.param({"type": "limit", "limit_price": "-5"}, 422, "ORDER_INVALID", id="price"),
    pytest.param({"colour": "red"}, 422, "INVALID_INPUT", id="unknown-key"),
]


@pytest.mark.parametrize(("change", "status", "error"), BAD_ORDERS)
def test_a_bad_order_is_refused_and_nothing_is_written(
    module_api: Any, change: dict[str, Any], status: int, error: str
) -> None:
    found, answer = module_api.client.order("bad", **change)
    assert (found, answer["error"]) == (status, error), answer
    assert answer["message"]
    assert answer["code"]
    assert module_api.client.get("/api/orders") == {"orders": [], "next": None}


BAD_BODIES = [
    pytest.param(b"{", id="cut-off"),
    pytest.param(b"", id="empty"),
    pytest.param(b"[]", id="a-list"),
    pytest.param(b"\xff\xfe\x00", id="no-text"),
    pytest.param(b"[" * 50_000, id="deep"),
]


@pytest.mark.parametrize("body", BAD_BODIES)
def test_a_body_that_is_no_order_is_malformed(module_api: Any, body: bytes) -> None:
    status, answer = module_api.client.ask(
        "POST", "/api/orders", raw=body, headers={"Idempotency-Key": "x"}
    )
    assert (status, answer["error"]) == (400, "MALFORMED_REQUEST"), answer


def test_a_bare_nan_is_no_quantity(module_api: Any) -> None:
    body = b'{"symbol":"AAPL","side":"buy","quantity":NaN}'
    status, _ = module_api.client.ask(
        "POST", "/api/orders", raw=body, headers={"Idempotency-Key": "x"}
    )
    assert status in (400, 422)


def test_a_body_that_is_too_large_is_refused(module_api: Any) -> None:
    body = json.dumps({"symbol": "A" * 100_000}).encode()
    status, answer = module_api.client.ask(
        "POST", "/api/orders", raw=body, headers={"Idempotency-Key": "x"}
    )
    assert (status, answer["error"]) == (413, "REQUEST_TOO_LARGE")


@pytest.mark.parametrize("key", ["", " ", "x" * 101, "a b", "ä"])
def test_an_order_without_a_usable_key_is_refused(module_api: Any, key: str) -> None:
    headers = {"Idempotency-Key": key} if key else {}
    order = {"symbol": "AAPL", "side": "buy", "quantity": "1"}
    status, _ = module_api.client.ask("POST", "/api/orders", order, headers)
    assert status in (400, 422)


def test_every_failing_limit_is_named(module_api: Any) -> None:
    _, answer = module_api.client.order("x", symbol="NONE", quantity="50000")
    names = {refusal["error"] for refusal in answer["refusals"]}
    assert {"SYMBOL_NOT_ALLOWED", "ORDER_QUANTITY_LIMIT", "PRICE_UNKNOWN"} <= names


def test_pages_follow_one_another_without_gap_or_repetition(api: Any) -> None:
    keys = [f"order-{number}" for number in range(7)]
    for key in keys:
        api.client.order(key)
    seen: list[str] = []
    path = "/api/orders?limit=3"
    while path:
        page = api.client.get(path)
        seen += [order["client_order_id"] for order in page["orders"]]
        path = f"/api/orders?limit=3&cursor={page['next']}" if page["next"] else ""
    assert seen == keys[::-1]


@pytest.mark.parametrize("query", ["cursor=x", "limit=0", "limit=1e9", "state=odd", "cursor=%ff"])
def test_a_bad_page_is_refused(module_api: Any, query: str) -> None:
    status, answer = module_api.client.ask("GET", f"/api/orders?{query}")
    assert (status, answer["error"]) == (422, "INVALID_INPUT"), answer


def test_an_unsent_order_can_be_cancelled(api: Any) -> None:
    api.client.order("one", type="limit", limit_price="5")
    status, order = api.client.ask("DELETE", "/api/orders/one")
    assert (status, order["state"]) == (202, "CANCELED")
    events = api.client.get("/api/orders/one")["events"]
    assert [event["to"] for event in events] == ["NEW", "CANCELED"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_order_is_not_found(module_api: Any, method: str) -> None:
    status, answer = module_api.client.ask(method, "/api/orders/none")
    assert (status, answer["error"]) == (404, "ORDER_NOT_FOUND")


def test_more_orders_than_the_rate_allows_are_told_to_wait(api: Any) -> None:
    answers = [api.client.order(f"order-{number}", symbol="IBM") for number in range(130)]
    late = [answer for status, answer in answers if status == 429]
    assert late
    assert late[0]["refusals"][0]["error"] == "ORDER_RATE_LIMIT"
