"""What single clients see of a slot that is told to leave the live socket."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def pair(slots: ModuleType, tmp_path: Path) -> Iterator[Any]:
    command = [sys.executable, str(HERE / "plain_process.py")]
    with slots.SlotPair(tmp_path, command, {}) as pair:
        pair.start("blue", "one", "drain", live=True)
        yield pair


def ask(client: http.client.HTTPConnection) -> tuple[int, str | None]:
    client.request("GET", "/")
    answer = client.getresponse()
    answer.read()
    return answer.status, answer.getheader("connection")


def test_an_idle_kept_connection_is_answered_once_more_and_told_to_close(pair: Any) -> None:
    client = http.client.HTTPConnection("127.0.0.1", pair.live_port, timeout=5)
    assert ask(client) == (200, None)
    pair.tell("blue", "idle")
    time.sleep(0.5)  # long enough for a server that closes idle connections to do so
    assert ask(client) == (200, "close")


def test_a_request_begun_before_the_switch_is_answered_after_it(pair: Any) -> None:
    with socket.create_connection(("127.0.0.1", pair.live_port), timeout=5) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n12")
        time.sleep(0.1)
        pair.tell("blue", "idle")
        time.sleep(0.2)
        client.sendall(b"34")
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in answer.lower()


def test_the_slots_own_socket_is_not_drained(pair: Any) -> None:
    client = http.client.HTTPConnection("127.0.0.1", pair.port("blue"), timeout=5)
    assert ask(client) == (200, None)
    pair.tell("blue", "idle")
    time.sleep(0.2)
    assert ask(client) == (200, None)


def test_connections_wait_in_the_queue_while_no_slot_is_live(pair: Any) -> None:
    pair.tell("blue", "idle")
    time.sleep(0.2)
    client = http.client.HTTPConnection("127.0.0.1", pair.live_port, timeout=5)
    client.request("GET", "/")
    time.sleep(0.2)
    pair.tell("blue", "live")
    assert client.getresponse().status == 200


def test_a_lost_signal_heals_by_itself(pair: Any) -> None:
    client = http.client.HTTPConnection("127.0.0.1", pair.live_port, timeout=5)
    ask(client)
    pair.write("blue", "idle")
    time.sleep(1.5)
    assert ask(client) == (200, "close")


def test_a_damaged_traffic_file_changes_nothing(pair: Any) -> None:
    pair.tell("blue", "li")
    time.sleep(0.2)
    client = http.client.HTTPConnection("127.0.0.1", pair.live_port, timeout=5)
    assert ask(client) == (200, None)


def test_sigterm_answers_the_next_request_of_kept_connections_and_ends_in_time(pair: Any) -> None:
    client = http.client.HTTPConnection("127.0.0.1", pair.live_port, timeout=5)
    idle = http.client.HTTPConnection("127.0.0.1", pair.live_port, timeout=5)
    ask(client)
    ask(idle)
    begin = time.monotonic()
    pair.processes["blue"].send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert ask(client) == (200, "close")
    assert pair.processes["blue"].wait(timeout=5) == 0
    assert time.monotonic() - begin <= 5


def test_sigterm_without_clients_ends_at_once(pair: Any) -> None:
    begin = time.monotonic()
    os.kill(pair.processes["blue"].pid, signal.SIGTERM)
    assert pair.processes["blue"].wait(timeout=5) == 0
    assert time.monotonic() - begin <= 1.0
