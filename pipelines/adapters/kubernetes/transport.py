"""HTTP/1.1 with an API server: a pool of kept connections, throttling waited for, time bounded.

Request and answer are plain JSON; compression is off, since it costs the API server more time than
a near network takes. HTTP/2 would put all parallel requests on one connection and one lock.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3.connection import HTTPConnection

from pipelines.adapters.kubernetes.connection import Connection
from pipelines.adapters.kubernetes.refusals import refusal
from pipelines.model.errors import Unavailable

POOL_SIZE = 64
CONNECT_SECONDS = 5.0
REQUEST_SECONDS = 30.0
ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)
"""A machine that vanished is noticed after 30 seconds, also by a watch that waits."""
THROTTLED_SECONDS = 30.0
"""How long one request may wait for an API server that throttles, in all."""
MOST_ANSWER_BYTES = 256 * 1024 * 1024
SAFE = frozenset({"GET", "PATCH", "PUT", "DELETE"})
"""Doing it twice ends as doing it once; a POST whose answer was lost may have created an object."""


class Transport:
    """Safe to use from several threads."""

    def __init__(self, connection: Connection, *, seconds: float = REQUEST_SECONDS) -> None:
        self.connection = connection
        self._seconds = seconds
        pools: dict[str, Any] = {
            "maxsize": POOL_SIZE,
            "block": False,
            "retries": False,
            "socket_options": [
                *HTTPConnection.default_socket_options,
                *ALIVE,
            ],
        }
        if connection.trust is not None:
            pools["ssl_context"] = connection.trust
            if connection.server_name:
                pools["server_hostname"] = pools["assert_hostname"] = connection.server_name
            if not connection.trust.check_hostname:
                # The kubeconfig asked for it; saying so at every request helps nobody.
                pools["assert_hostname"] = False
                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        manager = (
            urllib3.ProxyManager(connection.proxy, **pools)
            if connection.proxy
            else urllib3.PoolManager(**pools)
        )
        self._pool = manager.connection_from_url(connection.url)
        self._path = urllib3.util.parse_url(connection.url).path or ""

    def close(self) -> None:
        self._pool.close()

    def json(self, method: str, path: str, **options: Any) -> Any:
        """The parsed answer; see `request`."""
        body = self.request(method, path, **options)
        try:
            return json.loads(body)
        except ValueError:
            raise Unavailable(f"{method} {path}: the API server's answer is not JSON") from None

    def request(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        seconds: float | None = None,
    ) -> bytes:
        """The body of a 2xx answer. Raises ApiRefused for any other, Unavailable for none; 429 and
        503 are tried again for THROTTLED_SECONDS, waiting as long as Retry-After asks."""
        address = path + ("?" + urlencode(query) if query else "")
        until = time.monotonic() + THROTTLED_SECONDS
        attempt = 0
        while True:
            status, retry_after, answer = self._once(
                method, address, body, self._headers(content_type, accept), seconds, doing
            )
            if 200 <= status < 300:
                return answer
            wait = _pause(status, retry_after, attempt)
            if wait is None or time.monotonic() + wait > until:
                raise refusal(doing, status, answer)
            attempt += 1
            time.sleep(wait)

    def answer(self, method: str, path: str, *, seconds: float) -> tuple[int, bytes]:
        """Status and body whatever they are: what a pod answers is not the API server's word."""
        headers = self._headers("", "*/*")
        status, _, body = self._once(method, path, None, headers, seconds, f"{method} {path}")
        return status, body

    def lines(self, path: str, *, doing: str, query: Mapping[str, str], seconds: float) -> Lines:
        """Lines of a long answer (a watch), until the server ends it or nothing came for `seconds`."""
        try:
            answer = self._pool.urlopen(
                "GET",
                f"{self._path}{path}?{urlencode(query)}",
                headers=self._headers("", "application/json"),
                preload_content=False,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds),
            )
            if answer.status == 200:
                return Lines(answer, lambda error: self._unavailable(doing, error))
            body = answer.read()
            answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unavailable(doing, error) from None
        raise refusal(doing, answer.status, body)

    def _once(
        self, method: str, address: str, body: bytes | None, headers: Mapping[str, str],
        seconds: float | None, doing: str,
    ) -> tuple[int, str | None, bytes]:  # fmt: skip
        limit = urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds or self._seconds)
        tries = 2 if method in SAFE else 1
        while True:
            tries -= 1
            try:
                answer = self._pool.urlopen(
                    method, self._path + address, body=body, headers=headers, timeout=limit
                )
                return answer.status, answer.headers.get("Retry-After"), answer.data
            except urllib3.exceptions.ProtocolError as error:
                # A kept connection that the server closed just now: a new one may be fine.
                if tries <= 0:
                    raise self._unavailable(doing, error) from None
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise self._unavailable(doing, error) from None

    def _headers(self, content_type: str, accept: str) -> dict[str, str]:
        headers = {"Accept": accept, "User-Agent": "slipway"}
        if content_type:
            headers["Content-Type"] = content_type
        token = self.connection.token()
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return headers

    def _unavailable(self, doing: str, error: Exception) -> Unavailable:
        return Unavailable(
            f"cannot {doing}: the API server at {self.connection.url} {_words(error)}",
            hint="look whether it runs and is reached: kubectl cluster-info",
        )


def _words(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "does not answer"
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "did not answer in time"
    if isinstance(error, urllib3.exceptions.SSLError):
        return "shows a certificate that is not trusted"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "closed the connection in the middle of an answer"
    return "does not answer"


def _pause(status: int, retry_after: str | None, attempt: int) -> float | None:
    """Seconds until the next try, or None when the answer stands. A 503 of a server that is
    starting has no Retry-After."""
    if status not in (429, 503):
        return None
    if retry_after is not None and retry_after.isdigit():
        return float(retry_after)
    return min(5.0, 0.2 * 2.0**attempt)


class Lines:
    """The lines of an answer that is still coming; `close` may be called from another thread."""

    def __init__(self, answer: Any, failed: Callable[[Exception], Unavailable]) -> None:
        self._answer, self._failed = answer, failed
        self._chunks = answer.stream(65536, decode_content=False)
        self._ready: list[bytes] = []
        self._rest = b""
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while not self._ready:
            try:
                chunk = next(self._chunks)
            except StopIteration:
                self._answer.release_conn()
                raise
            except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
                self._answer.close()
                if self._closed:
                    raise StopIteration from None
                raise self._failed(error) from None
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            self._ready = [line for line in reversed(lines) if line]
        return self._ready.pop()

    def close(self) -> None:
        """Wakes the thread that waits for a line; its iteration ends."""
        self._closed = True
        connection = getattr(self._answer, "connection", None)
        stream = getattr(connection, "sock", None)
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)
