"""The paper venue over HTTP: idempotent, fenced, and nothing acknowledged is ever lost."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from world import World

ORDER = {"symbol": "AAPL", "side": "buy", "quantity": "10", "type": "market", "tag": "manual"}
BAR = {"symbol": "AAPL", "open": "100", "high": "110", "low": "90", "close": "105"}


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    with World(tmp_path, database_url) as world:
        world.start_venue()
        yield world


def _place(world: World, name: str, fence: str = "1.1", **changes: Any) -> tuple[int, dict]:
    return world.venue("POST", "/v1/orders", {"client_order_id": name, **ORDER, **changes}, fence)


def _day(world: World, day: int, **changes: Any) -> dict[str, Any]:
    bar = {**BAR, "volume": 1_000_000, **changes}
    body = {"timestamp": f"2000-01-{day:02}T21:00:00+00:00", "bars": [bar]}
    status, answer = world.venue("POST", "/v1/bars", body, "1.1")
    assert status == 200, answer
    return answer


def _order(world: World, name: str) -> dict[str, Any]:
    (found,) = world.venue("GET", f"/v1/orders?client_order_id={name}")[1]["orders"]
    return found


def test_the_same_order_twice_is_one_order(world: World) -> None:
    first = _place(world, "a")
    again = _place(world, "a", quantity="10.0")
    assert (first[0], again[0]) == (201, 200)
    assert first[1]["venue_order_id"] == again[1]["venue_order_id"]
    assert _place(world, "a", quantity="11")[0] == 409
    assert len(world.book()["orders"]) == 1


def test_a_market_order_fills_at_the_next_open_and_the_day_trades_once(world: World) -> None:
    _place(world, "a")
    newest = "2000-01-03T21:00:00+00:00"
    assert _day(world, 3) == {"traded": True, "last_sequence": 1, "newest_day": newest}
    assert _day(world, 3) == {"traded": False, "last_sequence": 1, "newest_day": newest}
    (fill,) = world.venue("GET", "/v1/fills?since=0")[1]["fills"]
    assert (fill["quantity"], fill["price"]) == ("10", "100.0500")
    assert world.venue("GET", "/v1/positions")[1] == {"positions": {"AAPL": "10"}}
    assert world.venue("GET", "/v1/fills?since=1")[1]["fills"] == []


def test_a_day_before_the_newest_is_not_traded_and_the_newest_is_named(world: World) -> None:
    _day(world, 5)
    _place(world, "a")
    answer = _day(world, 4)
    assert (answer["traded"], answer["newest_day"]) == (False, "2000-01-05T21:00:00+00:00")
    body = {"timestamp": "2000-01-06T21:00:00+00:00", "bars": []}
    answer = world.venue("POST", "/v1/bars", body, "1.1")[1]
    assert (answer["traded"], answer["newest_day"]) == (False, "2000-01-05T21:00:00+00:00")
    assert _order(world, "a")["state"] == "WORKING"


def test_a_limit_order_rests_until_the_price_comes(world: World) -> None:
    _place(world, "a", type="limit", limit_price="80")
    _day(world, 3)
    assert _order(world, "a")["state"] == "WORKING"
    _day(world, 4, low="79")
    assert _order(world, "a")["state"] == "FILLED"


def test_an_order_larger_than_the_volume_fills_in_parts(world: World) -> None:
    _place(world, "a")
    _day(world, 3, volume=60)
    assert _order(world, "a")["filled_quantity"] == "6"
    _day(world, 4)
    assert _order(world, "a")["state"] == "FILLED"


def test_an_older_token_is_refused_for_sends_cancels_and_bars(world: World) -> None:
    _place(world, "a", fence="1.5")
    assert world.venue("PUT", "/v1/fence", {}, "2.1")[0] == 200
    assert _place(world, "b", fence="1.9")[0] == 412
    assert world.venue("DELETE", "/v1/orders/a", None, "1.9")[0] == 412
    assert world.venue("POST", "/v1/bars", {}, "1.9")[0] == 412
    assert [order["client_order_id"] for order in world.book()["orders"]] == ["a"]
    assert world.venue("DELETE", "/v1/orders/a", None, "2.1")[1]["state"] == "CANCELED"


def test_the_token_survives_a_restart(world: World) -> None:
    _place(world, "a", fence="1.5")
    world.kill("venue")
    world.start_venue()
    assert _place(world, "b", fence="1.4")[0] == 412


def test_everything_acknowledged_survives_kills(world: World) -> None:
    acknowledged: list[str] = []
    ended = threading.Event()

    def customer(number: int) -> None:
        count = 0
        while not ended.is_set():
            name = f"c{number}-{count}"
            try:
                if _place(world, name)[0] in (200, 201):
                    acknowledged.append(name)
                    count += 1
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)

    threads = [threading.Thread(target=customer, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        time.sleep(0.4)
        world.kill("venue")
        world.start_venue()
    ended.set()
    for thread in threads:
        thread.join()
    stored = [order["client_order_id"] for order in world.book()["orders"]]
    assert len(acknowledged) > 50
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))


def test_faults_happen_when_asked_for(world: World) -> None:
    world.venue("PUT", "/v1/faults", {"drop_after_accept_ratio": 1})
    with pytest.raises((OSError, http.client.HTTPException)):
        _place(world, "dropped")
    world.venue("PUT", "/v1/faults", {"error_after_accept_ratio": 1})
    assert _place(world, "failed")[0] == 500
    world.venue("PUT", "/v1/faults", {"reject_ratio": 1})
    assert _place(world, "rejected")[1]["state"] == "REJECTED"
    world.venue("PUT", "/v1/faults", {"partial_ratio": 1})
    _day(world, 3)
    assert _order(world, "dropped")["filled_quantity"] == "5"
    states = {order["client_order_id"]: order["state"] for order in world.book()["orders"]}
    assert states == {
        "dropped": "PARTIALLY_FILLED",
        "failed": "PARTIALLY_FILLED",
        "rejected": "REJECTED",
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "fence", "status"),
    [
        ("POST", "/v1/orders", {**ORDER, "client_order_id": "a", "quantity": "NaN"}, "1.1", 422),
        ("POST", "/v1/orders", {**ORDER, "client_order_id": "a", "quantity": "x"}, "1.1", 422),
        ("POST", "/v1/orders", {"symbol": "AAPL"}, "1.1", 422),
        ("POST", "/v1/orders", [], "1.1", 422),
        ("POST", "/v1/orders", {**ORDER, "client_order_id": "a"}, "", 422),
        ("POST", "/v1/orders", {**ORDER, "client_order_id": "a"}, "1.x", 422),
        ("POST", "/v1/bars", {"timestamp": "soon", "bars": []}, "1.1", 422),
        ("PUT", "/v1/faults", {"latency": 1}, "", 422),
        ("DELETE", "/v1/orders/nobody", None, "1.1", 404),
        ("GET", "/v1/nothing", None, "", 404),
    ],
)
def test_bad_requests_are_refused_and_change_nothing(
    world: World, method: str, path: str, body: object, fence: str, status: int
) -> None:
    assert world.venue(method, path, body, fence)[0] == status
    assert world.book()["orders"] == []


def test_a_wrong_token_sees_nothing(world: World) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", world.venue_port, timeout=5)
    connection.request("GET", "/v1/book", headers={"Authorization": "Bearer wrong"})
    assert connection.getresponse().status == 401
    connection.close()
