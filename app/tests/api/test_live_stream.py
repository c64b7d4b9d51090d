"""The stream of events: nothing lost, nothing twice, across switches and outages."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect


def join(api: Any, query: str = "", port: int = 0) -> ClientConnection:
    headers = {"Authorization": f"Bearer {api.client.token}"}
    address = f"ws://127.0.0.1:{port or api.live_port}/api/live{query}"
    return connect(address, additional_headers=headers, proxy=None)


def say(url: str, count: int, kind: str = "note") -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for number in range(count):
            connection.execute(
                "insert into trading.events (kind, payload) values (%s, %s)",
                (kind, json.dumps({"number": number})),
            )


def read(socket: ClientConnection, count: int) -> list[int]:
    """The numbers of the next `count` events."""
    numbers: list[int] = []
    while len(numbers) < count:
        message = json.loads(socket.recv(timeout=10))
        if message["type"] == "event":
            numbers.append(message["seq"])
    return numbers


def test_what_happened_before_comes_first_and_then_what_happens(
    api: Any, database_url: str
) -> None:
    say(database_url, 3)
    with join(api, "?since=0") as socket:
        assert read(socket, 3) == [1, 2, 3]
        say(database_url, 2)
        assert read(socket, 2) == [4, 5]


def test_without_a_number_the_stream_begins_now(api: Any, database_url: str) -> None:
    say(database_url, 3)
    with join(api) as socket:
        assert json.loads(socket.recv(timeout=10)) == {"type": "hello", "from": 3}
        say(database_url, 1)
        assert read(socket, 1) == [4]


def test_events_are_whole_while_many_writers_write(api: Any, database_url: str) -> None:
    writers = [threading.Thread(target=say, args=(database_url, 60)) for _ in range(5)]
    say(database_url, 50)
    for writer in writers:
        writer.start()
    with join(api, "?since=0") as socket:
        assert read(socket, 350) == list(range(1, 351))
    for writer in writers:
        writer.join()


def test_a_client_follows_the_switch_to_the_other_slot(api: Any, database_url: str) -> None:
    api.start("green")
    say(database_url, 3)
    with join(api, "?since=0") as socket:
        assert read(socket, 3) == [1, 2, 3]
        api.switch("green")
        assert json.loads(_last(socket)) == {"type": "resume", "from": 3}
        assert socket.close_code == 1012
    say(database_url, 2)
    with join(api, "?since=3") as again:
        assert read(again, 2) == [4, 5]


def test_the_stream_of_the_slots_own_socket_is_not_ended_by_a_switch(
    api: Any, database_url: str
) -> None:
    with join(api, "?since=0", api.port("blue")) as socket:
        api.tell("blue", "idle")
        time.sleep(0.3)
        say(database_url, 1)
        assert read(socket, 1) == [1]


def test_a_change_of_the_active_slot_is_told(api: Any, database_url: str) -> None:
    with join(api) as socket:
        json.loads(socket.recv(timeout=10))
        with psycopg.connect(database_url) as connection:
            connection.execute(
                "select slipway.switch('blue', 'r1', 'o', 'c', 1, 0, 'confirmed', null, true, '')"
            )
        assert json.loads(socket.recv(timeout=10)) == {"type": "active"}


def test_the_stream_goes_on_when_the_database_dropped_its_connections(
    api: Any, database_url: str
) -> None:
    with join(api, "?since=0") as socket:
        say(database_url, 1)
        assert read(socket, 1) == [1]
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'trading api'"
            )
        say(database_url, 2)
        assert read(socket, 2) == [2, 3]


def test_a_number_of_the_future_begins_now(api: Any, database_url: str) -> None:
    say(database_url, 2)
    with join(api, "?since=9000") as socket:
        assert json.loads(socket.recv(timeout=10)) == {"type": "hello", "from": 2}


def test_events_that_are_no_longer_kept_are_a_gap(api: Any, database_url: str) -> None:
    say(database_url, 5)
    with psycopg.connect(database_url) as connection:
        connection.execute("delete from trading.events where seq < 4")
    with join(api, "?since=1") as socket:
        assert json.loads(socket.recv(timeout=10)) == {"type": "gap", "from": 1, "to": 4}
        assert read(socket, 2) == [4, 5]


@pytest.mark.parametrize("since", ["-1", "x", "1.5", "9" * 30, "NaN"])
def test_a_number_that_is_none_is_refused(module_api: Any, since: str) -> None:
    with join(module_api, f"?since={since}") as socket:
        assert json.loads(_last(socket))["type"] == "error"
        assert socket.close_code == 1008


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_stream_needs_the_token(module_api: Any, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    address = f"ws://127.0.0.1:{module_api.live_port}/api/live"
    with pytest.raises(InvalidStatus) as refused:
        connect(address, additional_headers=headers, proxy=None)
    assert refused.value.response.status_code == 401


def test_an_idle_process_listens_to_nothing(api: Any, database_url: str) -> None:
    def listeners() -> int:
        with psycopg.connect(database_url) as connection:
            row = connection.execute(
                "select count(*) from pg_stat_activity where query like 'listen%'"
            ).fetchone()
        return int(row[0]) if row else -1

    with join(api):
        _until(lambda: listeners() == 1)
    _until(lambda: listeners() == 0)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _last(socket: ClientConnection) -> str:
    """The last message before the server closed."""
    message = ""
    try:
        while True:
            message = str(socket.recv(timeout=10))
    except ConnectionClosed:
        return message
