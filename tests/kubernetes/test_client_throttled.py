"""The client against a server that throttles, hangs or dies in the middle of an answer."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from pipelines.adapters.kubernetes import transport
from pipelines.adapters.kubernetes.connection import Connection
from pipelines.adapters.kubernetes.transport import Transport
from pipelines.model.errors import Unavailable
from pipelines.targets.kubernetes.cluster import ApiRefused


class Answers:
    """A listening socket that gives one prepared answer a connection, then closes it."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.asked: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                stream, _ = self._socket.accept()
                with stream:
                    self.asked.append(stream.recv(65536))
                    if not self._answers:
                        time.sleep(3)
                        continue
                    stream.sendall(self._answers.pop(0))

    def close(self) -> None:
        self._socket.close()


def answer(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextlib.contextmanager
def talking_to(*answers: bytes, seconds: float = 1.0) -> Iterator[tuple[Transport, Answers]]:
    server = Answers(*answers)
    found = Transport(Connection(server.url, None, lambda: "secret-token"), seconds=seconds)
    try:
        yield found, server
    finally:
        found.close()
        server.close()


FINE = answer("200 OK", b'{"ok":true}')
BUSY = answer("429 Too Many Requests", b"slow down", "Retry-After: 1")


def test_throttling_is_waited_for_as_long_as_the_server_asks() -> None:
    with talking_to(BUSY, FINE) as (found, server):
        started = time.monotonic()
        assert found.json("GET", "/", doing="ask") == {"ok": True}
    assert time.monotonic() - started >= 1
    assert len(server.asked) == 2


def test_throttling_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "THROTTLED_SECONDS", 0.5)
    with talking_to(BUSY, BUSY) as (found, _), pytest.raises(ApiRefused) as refused:
        found.json("GET", "/", doing="apply ConfigMap a/b")
    assert refused.value.reason == "TooManyRequests"
    assert "throttles" in refused.value.hint


def test_an_answer_that_ends_half_way_is_unavailable() -> None:
    half = FINE[:-4]
    with (
        talking_to(half, half) as (found, server),
        pytest.raises(Unavailable, match="in the middle"),
    ):
        found.json("GET", "/", doing="list Pod in a")
    assert len(server.asked) == 2, "reading is tried once more"


def test_a_create_whose_answer_was_lost_is_not_sent_twice() -> None:
    with talking_to(FINE[:-4], FINE) as (found, server), pytest.raises(Unavailable):
        found.json("POST", "/", doing="create Job a/b", body=b"{}")
    assert len(server.asked) == 1


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with talking_to(seconds=0.3) as (found, _):
        started = time.monotonic()
        with pytest.raises(Unavailable, match="did not answer in time"):
            found.json("GET", "/", doing="ask")
    assert time.monotonic() - started < 2


def test_an_answer_that_is_no_json_is_unavailable() -> None:
    with (
        talking_to(answer("200 OK", b"<html>")) as (found, _),
        pytest.raises(Unavailable, match="not JSON"),
    ):
        found.json("GET", "/", doing="ask")


def test_what_a_refusing_server_says_is_told_without_the_token() -> None:
    said = {"kind": "Status", "reason": "Invalid", "message": "spec.x: field is immutable"}
    wrong = answer("422 Unprocessable Entity", json.dumps(said).encode())
    with talking_to(wrong) as (found, _), pytest.raises(ApiRefused) as refused:
        found.json("PATCH", "/", doing="apply Job a/b", body=b"{}")
    assert "cannot apply Job a/b: Invalid: spec.x: field is immutable" in refused.value.message
    assert "Replace=true" in refused.value.hint
    assert "secret-token" not in str(refused.value)
