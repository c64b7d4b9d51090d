"""One HTTP/1.1 connection as a client sees it: a request, its answer, or its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `status` 0: the connection ended before the whole answer was there."""

    status: int
    closes: bool
    body: bytes
    problem: str = ""


class Connection(asyncio.Protocol):
    """Sends one request at a time and hands each answer, or the lack of one, to `on_answer`.

    A connection that the server closes while nothing is asked of it is no failure; one that ends
    between the first byte of a request and the last byte of its answer is. Nothing is repeated.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._on_answer: Callable[[Answer], None] | None = None
        self._buffer = b""
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, request: bytes, on_answer: Callable[[Answer], None]) -> None:
        """Write a whole request; `on_answer` is called exactly once."""
        self._on_answer = on_answer
        if self._transport is None or self.closed:
            self._finish(Answer(0, True, b"", "closed before sending"))
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._on_answer is None:
            self._finish(Answer(0, True, b"", "bytes that nobody asked for"))
            return
        self._buffer = self._buffer + data if self._buffer else data
        answer = parse(self._buffer)
        if answer is None:
            return
        self._buffer = b""
        if answer.closes and self._transport is not None:
            self.closed = True
            self._transport.close()
        self._finish(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        problem = type(exc).__name__ if exc else "closed by the server"
        self._finish(Answer(0, True, b"", problem))

    def abort(self, problem: str) -> None:
        """Give the request up, as a client with a time limit does."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()
        self._finish(Answer(0, True, b"", problem))

    def close(self) -> None:
        """Leave quietly."""
        self._on_answer = None
        self.closed = True
        if self._transport is not None:
            self._transport.close()

    def _finish(self, answer: Answer) -> None:
        callback, self._on_answer = self._on_answer, None
        if callback is not None:
            callback(answer)


def parse(data: bytes) -> Answer | None:
    """The whole answer in `data`, or None while bytes are missing."""
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        return None
    lowered = head.lower() + b"\r\n"
    status = int(head[9:12])
    closes = b"\r\nconnection: close\r\n" in lowered
    at = lowered.find(b"\r\ncontent-length: ")
    if at >= 0:
        at += 18
        length = int(lowered[at : lowered.index(b"\r\n", at)])
        return Answer(status, closes, body) if len(body) >= length else None
    if b"\r\ntransfer-encoding: chunked" in lowered:
        return Answer(status, closes, body) if body.endswith(b"0\r\n\r\n") else None
    return Answer(status, closes, body)  # 204 and 304 have no body
