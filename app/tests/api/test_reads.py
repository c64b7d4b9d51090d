"""What the API says about account, market, strategies, risk, slots and itself."""

from __future__ import annotations

import os
import time
from typing import Any

import psycopg
import pytest

BARS = """
select trading.ensure_bar_partition('2001-01-02 21:00Z');
insert into trading.bars values
  ('AAPL', '2001-01-01 21:00Z', 99, 101, 98, 100, 1000),
  ('AAPL', '2001-01-02 21:00Z', 100, 103, 99, 102.5, 1200);
insert into trading.fills (fill_id, venue_sequence, client_order_id, strategy, symbol, side,
  quantity, price, fee, bar_timestamp)
  values ('f1', 1, 'o1', 'sma-cross', 'AAPL', 'buy', 10, 100.05, 1, '2001-01-02 21:00Z');
insert into trading.positions (strategy, symbol, quantity, average_price, fees)
  values ('sma-cross', 'AAPL', 10, 100.05, 1), ('sma-cross', 'IBM', 0, 0, 0);
update trading.instruments set last_price = 102.5 where symbol = 'AAPL';
insert into trading.equity values ('2001-01-01 21:00Z', 0, 0, 0, 500000, now()),
  ('2001-01-02 21:00Z', 0, 24.5, 1, 500023.5, now());
"""


@pytest.fixture
def filled(api: Any, database_url: str) -> Any:
    with psycopg.connect(database_url) as connection:
        connection.execute(BARS)
    return api.client


def test_positions_carry_exact_money(filled: Any) -> None:
    (position,) = filled.get("/api/positions")["positions"]
    assert position["quantity"] == "10"
    assert position["market_value"] == "1025.00"
    assert position["unrealized_profit"] == "24.50"
    assert len(filled.get("/api/positions?closed=true")["positions"]) == 2


def test_the_market_has_bars_and_the_fills_on_them(filled: Any) -> None:
    market = filled.get("/api/market/AAPL?limit=10")
    assert [bar["close"] for bar in market["bars"]] == ["100", "102.5"]
    assert [fill["price"] for fill in market["fills"]] == ["100.05"]
    assert len(filled.get("/api/market/AAPL?limit=1")["bars"]) == 1


@pytest.mark.parametrize("symbol", ["NONE", "aapl", "%27", "A" * 300, "IBM"])
def test_a_symbol_without_bars_is_unknown(module_api: Any, symbol: str) -> None:
    status, answer = module_api.client.ask("GET", f"/api/market/{symbol}")
    assert (status, answer["error"]) == (404, "UNKNOWN_SYMBOL")
    assert "AAPL" in answer["message"]


def test_equity_is_oldest_first(filled: Any) -> None:
    points = filled.get("/api/equity")["points"]
    assert [point["equity"] for point in points] == ["500000.00", "500023.50"]
    assert len(filled.get("/api/equity?limit=1")["points"]) == 1


def test_strategies_show_parameters_and_what_they_hold(filled: Any) -> None:
    answer = filled.get("/api/strategies")
    (strategy,) = answer["strategies"]
    assert strategy["name"] == "sma-cross"
    assert strategy["positions"] == {"AAPL": "10"}
    assert "momentum" in answer["plugins"]


def test_the_kill_switch_needs_a_reason_latches_and_refuses_orders(api: Any) -> None:
    client = api.client
    for body in ({}, {"reason": ""}, {"reason": "   "}, {"reason": "x", "extra": 1}):
        assert client.ask("POST", "/api/risk/kill", body)[0] == 422
    status, switch = client.ask("POST", "/api/risk/kill", {"reason": "prices look wrong"})
    assert (status, switch["killed"], switch["reason"]) == (200, True, "prices look wrong")
    status, answer = client.order("one")
    assert (status, answer["refusals"][0]["error"]) == (422, "KILL_SWITCH_ON")
    assert client.get("/api/risk")["kill_switch"]["killed"]
    assert client.ask("POST", "/api/risk/rearm", {"reason": "data repaired"})[0] == 200
    assert client.order("one")[0] == 201


def test_slots_show_the_row_and_its_log(api: Any, database_url: str) -> None:
    assert api.client.get("/api/slots")["active"] is None
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "select slipway.switch('blue', 'r1', 'op1', 'c1', 1, 0, 'confirmed', null, true, '')"
        )
    answer = api.client.get("/api/slots")
    assert (answer["active"]["slot"], answer["active"]["release"]) == ("blue", "r1")
    assert [line["operation"] for line in answer["log"]] == ["op1"]


def test_the_version_names_the_code_that_runs(module_api: Any) -> None:
    from trading.artifact import digest

    version = module_api.client.get("/version")
    assert version["artifact"] == digest()
    assert version["pid"] == module_api.processes["blue"].pid != os.getpid()
    assert (version["role"], version["slot"], version["traffic"]) == ("api", "blue", "live")
    assert (version["release"], version["environment"]) == ("r-test", "dev")
    assert "r0001" in version["schema"]


def test_the_version_tells_what_it_does_with_traffic(api: Any) -> None:
    assert api.get("blue", "/version")[1]["traffic"] == "live"
    api.tell("blue", "idle")
    time.sleep(0.2)
    assert api.get("blue", "/version")[1]["traffic"] == "idle"


def test_metrics_count_requests_by_method_and_status(api: Any) -> None:
    api.client.get("/api/risk")
    api.client.ask("GET", "/api/risk", token="")
    _, text = api.client.ask("GET", "/metrics")
    assert 'http_requests_total{method="GET",status="401"} 1' in text
    assert "http_request_duration_seconds_bucket" in text
    resident = next(
        float(line.split()[1])
        for line in text.splitlines()
        if line.startswith("process_resident_memory_bytes ")
    )
    assert 10e6 < resident < 200e6


def test_the_openapi_document_names_every_route(module_api: Any) -> None:
    document = module_api.client.get("/openapi.json")
    assert {"/api/orders", "/api/backtest", "/api/risk/kill", "/api/market/{symbol}"} <= set(
        document["paths"]
    )
    body = document["paths"]["/api/orders"]["post"]["requestBody"]["content"]
    assert "quantity" in body["application/json"]["schema"]["properties"]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("PUT", "/api/orders", 405)]
)
def test_what_is_not_there_says_so_in_json(
    module_api: Any, method: str, path: str, status: int
) -> None:
    found, answer = module_api.client.ask(method, path)
    assert (found, answer["error"]) == (status, "NOT_FOUND")
