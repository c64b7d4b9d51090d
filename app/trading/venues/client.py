"""The trader's connection to a venue: keep-alive, concurrent, and never a second try of its own.

A lost answer is not a lost order. `place` therefore tells three things apart: the venue's answer,
`FencingTokenStale`, and `SendOutcomeUnknown`; who asked decides what to do about the last.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from trading.errors import FencingTokenStale, SendOutcomeUnknown, VenueUnavailable

_CONNECTIONS = 16
_TIMEOUT_SECONDS = 5.0
_IDS_A_QUERY = 100

Document = dict[str, Any]
_Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Posted:
    """`newest_day`: the last one that the venue has traded; None where it does not tell."""

    last_sequence: int
    newest_day: datetime | None

    def beyond(self, day: datetime) -> bool:
        """Whether the venue has traded a day after this one."""
        return self.newest_day is not None and self.newest_day > day


class VenueClient:
    """`token` is the fencing token; set it when the lease is taken."""

    def __init__(self, base_url: str, bearer: str, timeout_seconds: float = _TIMEOUT_SECONDS):
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._bearer = bearer
        self._timeout = timeout_seconds
        self._idle: list[_Pair] = []
        self._slots = asyncio.Semaphore(_CONNECTIONS)
        self.token = "0.0"

    async def place(self, order: Document) -> tuple[int, Document]:
        """POST an order: (status, answer). 4xx are answers; anything unclear is
        `SendOutcomeUnknown`."""
        status, answer = await self._call("POST", "/v1/orders", order)
        if status >= 500:
            raise SendOutcomeUnknown(f"the venue answered {status}", status=status)
        return status, answer

    async def cancel(self, client_order_id: str) -> tuple[int, Document]:
        status, answer = await self._call("DELETE", f"/v1/orders/{quote(client_order_id)}")
        if status >= 500:
            raise SendOutcomeUnknown(f"the venue answered {status}", status=status)
        return status, answer

    async def announce(self) -> None:
        """From here on the venue refuses every older token."""
        await self._expect("PUT", "/v1/fence", {})

    async def orders(self, ids: list[str]) -> dict[str, Document]:
        """What the venue knows of these ids; the ones it does not know are absent."""
        found: dict[str, Document] = {}
        for start in range(0, len(ids), _IDS_A_QUERY):
            chunk = [("client_order_id", name) for name in ids[start : start + _IDS_A_QUERY]]
            answer = await self._expect("GET", f"/v1/orders?{urlencode(chunk)}")
            found.update({row["client_order_id"]: row for row in answer["orders"]})
        return found

    async def open_orders(self) -> dict[str, Document]:
        answer = await self._expect("GET", "/v1/orders?open=1")
        return {row["client_order_id"]: row for row in answer["orders"]}

    async def fills(self, since: int) -> list[Document]:
        """All fills after this sequence number, in order."""
        found: list[Document] = []
        while True:
            answer = await self._expect("GET", f"/v1/fills?since={since}")
            found += answer["fills"]
            if not answer["more"]:
                return found
            since = found[-1]["sequence"]

    async def positions(self) -> dict[str, str]:
        answer = await self._expect("GET", "/v1/positions")
        positions: dict[str, str] = answer["positions"]
        return positions

    async def post_bars(self, document: Document) -> Posted:
        """The venue trades the day, once, and none that is older than its newest."""
        answer = await self._expect("POST", "/v1/bars", document)
        newest = answer.get("newest_day")
        return Posted(
            int(answer["last_sequence"]),
            None if newest is None else datetime.fromisoformat(newest),
        )

    async def alive(self) -> bool:
        try:
            status, _ = await self._call("GET", "/health/live")
        except (SendOutcomeUnknown, VenueUnavailable):
            return False
        return status == 200

    async def close(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()

    async def _expect(self, method: str, path: str, body: Document | None = None) -> Document:
        """For requests that are safe to repeat. Raises `VenueUnavailable`."""
        try:
            status, answer = await self._call(method, path, body)
        except SendOutcomeUnknown as error:
            raise VenueUnavailable(error.message) from error
        if status != 200:
            raise VenueUnavailable(f"{method} {path.partition('?')[0]} got {status}: {answer}")
        return answer

    async def _call(
        self, method: str, path: str, body: Document | None = None
    ) -> tuple[int, Document]:
        payload = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n"
            f"Authorization: Bearer {self._bearer}\r\nX-Fencing-Token: {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
        )
        async with self._slots:
            try:
                async with asyncio.timeout(self._timeout):
                    status, answer = await self._exchange(head.encode("latin-1") + payload)
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                raise SendOutcomeUnknown(
                    f"no answer from the venue: {type(error).__name__} {error}"
                ) from error
        if status == 412:
            raise FencingTokenStale(
                f"the venue refuses token {self.token}; it has seen {answer.get('highest')}",
                token=self.token,
            )
        return status, answer

    async def _exchange(self, request: bytes) -> tuple[int, Document]:
        pair = self._take_idle() or await asyncio.open_connection(self._host, self._port)
        reader, writer = pair
        try:
            writer.write(request)
            status, length, keep = _head(await reader.readuntil(b"\r\n\r\n"))
            body = await reader.readexactly(length)
        except BaseException:
            writer.close()  # also when cancelled: half an answer must not meet the next request
            raise
        if keep:
            self._idle.append(pair)
        else:
            writer.close()
        return status, json.loads(body)

    def _take_idle(self) -> _Pair | None:
        while self._idle:
            pair = self._idle.pop()
            if not pair[0].at_eof() and not pair[1].is_closing():
                return pair
            pair[1].close()
        return None


def _head(text: bytes) -> tuple[int, int, bool]:
    """(status, body length, keep-alive)"""
    lines = text.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, colon, value in (line.partition(":") for line in lines[1:])
        if colon
    }
    keep = headers.get("connection", "").lower() != "close"
    return int(lines[0].split(" ")[1]), int(headers["content-length"]), keep
