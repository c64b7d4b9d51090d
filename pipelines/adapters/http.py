"""HTTP/1.1 GET over TCP or a UNIX socket, one connection a request, every step with a time limit.

Small on purpose: it runs on the way of a rollback, where importing a client library costs more
than the request. Understands Content-Length, chunked and read-to-end bodies; no redirects, no TLS.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.model.errors import Unavailable
from pipelines.model.live import ProbeSamples

LARGEST_ANSWER_BYTES = 4 * 1024 * 1024
PROBE_LIMIT_SECONDS = 1.0
MOST_EXAMPLES = 5


class PlainHttp:
    """Implements ports.Http."""

    def get(self, address: str, path: str, timeout_seconds: float) -> tuple[int, bytes]:
        deadline = time.monotonic() + timeout_seconds
        try:
            with connected(address, deadline) as stream:
                stream.sendall(request_bytes(path))
                return parse_answer(read_all(stream, deadline))
        except (OSError, ValueError) as error:
            words = "no answer in time" if isinstance(error, TimeoutError) else str(error)
            raise Unavailable(f"GET {path} at {address}: {words}") from None

    def probe(self, address: str, path: str, count: int, per_second: float) -> ProbeSamples:
        """`count` requests at even times, each on a new connection, none waiting for another one."""
        import asyncio

        from pipelines.adapters.probe import probe

        return asyncio.run(probe(address, path, count, per_second))


@contextmanager
def connected(address: str, deadline: float) -> Iterator[socket.socket]:
    kind, _, place = address.partition(":")
    family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as stream:
        stream.settimeout(left(deadline))
        stream.connect(place if kind == "unix" else host_and_port(place))
        yield stream


def host_and_port(place: str) -> tuple[str, int]:
    host, _, port = place.rpartition(":")
    return host, int(port)


def left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def request_bytes(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    ).encode()


def read_all(stream: socket.socket, deadline: float) -> bytes:
    """Until the other side closes, or the body is as long as it said."""
    answer = bytearray()
    while len(answer) < LARGEST_ANSWER_BYTES:
        stream.settimeout(left(deadline))
        data = stream.recv(65536)
        answer += data
        if not data or complete(answer):
            return bytes(answer)
    raise ValueError(f"answer longer than {LARGEST_ANSWER_BYTES} bytes")


def complete(answer: bytes | bytearray) -> bool:
    head, found, body = bytes(answer).partition(b"\r\n\r\n")
    length = header(head, b"content-length")
    return bool(found) and length is not None and len(body) >= int(length)


def header(head: bytes, name: bytes) -> bytes | None:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return None


def parse_answer(answer: bytes) -> tuple[int, bytes]:
    """Raises ValueError for something that is not HTTP or ends too early."""
    head, found, body = answer.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if not found or len(words) < 2 or not words[0].startswith(b"HTTP/"):
        raise ValueError("connection closed without an answer")
    length = header(head, b"content-length")
    if length is not None and len(body) < int(length):
        raise ValueError("connection closed in the middle of an answer")
    if (header(head, b"transfer-encoding") or b"").lower() == b"chunked":
        body = unchunk(body)
    return int(words[1]), body


def unchunk(body: bytes) -> bytes:
    whole = bytearray()
    while True:
        size, found, body = body.partition(b"\r\n")
        if not found:
            raise ValueError("connection closed in the middle of an answer")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            return bytes(whole)
        whole += body[:length]
        body = body[length + 2 :]
