"""What every request passes first: counting, and the question who asks. A plain ASGI wrapper."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from trading.api.auth import SAFE_METHODS, Gatekeeper
from trading.api.metrics import Metrics
from trading.errors import SecurityError, TradingError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("trading.api")

OPEN_PATHS = ("/health/", "/version", "/metrics", "/login", "/static/", "/openapi.json")


class Front:
    """Wraps the application; `login` is where a browser without a session is sent."""

    def __init__(self, inner: Application, gatekeeper: Gatekeeper, metrics: Metrics) -> None:
        self._inner = inner
        self._gatekeeper = gatekeeper
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        begin = time.perf_counter()
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method: str = scope["method"]
        try:
            if not scope["path"].startswith(OPEN_PATHS):
                self._gatekeeper.check(scope["headers"], unsafe=method not in SAFE_METHODS)
            await self._inner(scope, receive, note_status)
        except SecurityError as error:
            _record(scope, error)
            await refuse(error, scope, note_status)
        finally:
            known = method if method in _METHODS else "other"
            self._metrics.count(known, status, time.perf_counter() - begin)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._gatekeeper.check(scope["headers"], unsafe=True)
        except SecurityError as error:
            _record(scope, error)
            await receive()
            await send(
                {"type": "websocket.http.response.start", "status": error.http_status, **_JSON}
            )
            await send({"type": "websocket.http.response.body", "body": body_of(error)})
            return
        await self._inner(scope, receive, send)


_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_JSON = {"headers": [(b"content-type", b"application/json")]}


def _record(scope: Scope, error: SecurityError) -> None:
    log.warning("refused %s from %s: %s", scope["path"][:100], scope.get("client"), error.name)


def body_of(error: TradingError) -> bytes:
    return json.dumps(error.as_dict(), ensure_ascii=False).encode()


def _to_login(scope: Scope) -> Message | None:
    """For a browser: a page is redirected, a panel tells the page to leave."""
    headers = dict(scope["headers"])
    if scope["method"] != "GET" or scope["path"].startswith("/api/"):
        return None
    length = (b"content-length", b"0")
    if b"hx-request" in headers:
        fields = [(b"hx-redirect", b"/login"), length]
        return {"type": "http.response.start", "status": 200, "headers": fields}
    if b"text/html" in headers.get(b"accept", b""):
        fields = [(b"location", b"/login"), length]
        return {"type": "http.response.start", "status": 303, "headers": fields}
    return None


async def refuse(error: TradingError, scope: Scope, send: Send) -> None:
    """Answer with the error; a browser that asks for a page is sent to the login form."""
    if error.http_status == 401 and (start := _to_login(scope)):
        await send(start)
        await send({"type": "http.response.body", "body": b""})
        return
    body = body_of(error)
    fields = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if error.http_status == 401:
        fields.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": error.http_status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
