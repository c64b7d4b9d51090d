"""A small HTTP/1.1 server for processes that answer a few short requests with little CPU.

For the venue and the trader's own endpoint: JSON bodies up to a megabyte, keep-alive, on loopback,
a UNIX socket or a cluster's own network. The public API uses a full server instead. Deliberately
left out: chunked responses, compression, TLS, upgrades.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

import httptools

BODY_LIMIT_BYTES = 1 << 20
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """`drop`: close the connection without an answer (a fault the venue can be told to show)."""

    status: int = 200
    body: bytes = b"{}"
    content_type: str = "application/json"
    drop: bool = False
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Awaitable[Response]]


class _Connection(asyncio.Protocol):
    def __init__(self, server: Server, open_connections: set[_Connection]) -> None:
        self._server = server
        self._open = open_connections
        self._parser = httptools.HttpRequestParser(self)
        self._queue: list[tuple[Request, bool]] = []
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(400)

    # Called by the parser.
    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > BODY_LIMIT_BYTES:
            self._refuse(413)

    def on_message_complete(self) -> None:
        parts = urlsplit(self._url.decode("latin-1"))
        request = Request(
            method=self._parser.get_method().decode(),
            path=unquote(parts.path),
            query=parse_qs(parts.query, keep_blank_values=True),
            headers=self._headers,
            body=bytes(self._body),
        )
        self._queue.append((request, self._parser.should_keep_alive()))
        self._reset()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._answer())

    async def _answer(self) -> None:
        """One request after the other, in the order in which they came."""
        try:
            while self._queue and not self._transport.is_closing():
                request, keep = self._queue.pop(0)
                response = await self._server.handler(request)
                self._write(response, keep and not self._server.goodbye)
        except Exception:
            self._refuse(500)
            raise
        finally:
            self._task = None

    def _write(self, response: Response, keep: bool) -> None:
        if response.drop:
            self._transport.abort()
            return
        lines = [
            f"HTTP/1.1 {response.status} {_PHRASES.get(response.status, '')}",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {len(response.body)}",
            *(f"{name}: {value}" for name, value in response.headers.items()),
        ]
        if not keep:
            lines.append("Connection: close")
        self._transport.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + response.body)
        if not keep:
            self._transport.close()

    def _refuse(self, status: int) -> None:
        if not self._transport.is_closing():
            self._write(Response(status=status, body=b'{"error":"BAD_REQUEST"}'), keep=False)

    def end(self) -> None:
        if self._task is None:
            self._transport.close()


class Server:
    """Serves one listening socket until `close`. `goodbye`: every answer ends its connection."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.goodbye = False
        self._open: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self, listening: socket.socket) -> None:
        listening.setblocking(False)
        loop = asyncio.get_running_loop()

        def create() -> _Connection:
            return _Connection(self, self._open)

        # Also for a UNIX socket: `create_unix_server` would remove the socket's file at the end,
        # and the file belongs to whoever made the socket and passes it to our successor.
        self._server = await loop.create_server(create, sock=listening, backlog=1024)

    async def close(self, grace_seconds: float = 2.0) -> None:
        """Stop accepting, let running requests end, close what is idle."""
        if self._server is not None:
            self._server.close()
        deadline = asyncio.get_running_loop().time() + grace_seconds
        while self._open and asyncio.get_running_loop().time() < deadline:
            for connection in list(self._open):
                connection.end()
            await asyncio.sleep(0.01)
