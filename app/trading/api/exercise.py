"""Requests as this API's users make them: reads, orders and their cancels, at an even pace.

What counts is what a user waits: a request that is late because the one before it on its
connection was slow is counted from the moment at which it should have been sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from trading.errors import InvalidInput, NotReady

CONNECTIONS = 8
LIMIT_SECONDS = 10.0
READS = ("/api/positions", "/api/orders?limit=20", "/api/risk", "/api/strategies", "/api/equity")
SYMBOLS = ("AAPL", "IBM", "MSFT")
KEPT_PROBLEMS, KEPT_SLOWEST = 5, 5
_ONLY_IN = "dev"


@dataclass(frozen=True, slots=True)
class Slow:
    """`at`: when it should have been sent, UTC."""

    at: str
    seconds: float
    what: str


@dataclass(slots=True)
class Report:
    """`writes`: orders that were accepted. `refused`: orders against a limit; no error by itself,
    but an exercise in which nothing could be written is none."""

    requests: int = 0
    errors: int = 0
    writes: int = 0
    refused: int = 0
    latencies: list[float] = field(default_factory=list)
    slowest: list[Slow] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return self.errors == 0 and self.writes > 0

    def add(self, what: str, began: float, seconds: float, problem: str) -> None:
        self.requests += 1
        self.latencies.append(seconds)
        at = datetime.fromtimestamp(began, UTC).isoformat(timespec="milliseconds")
        self.slowest.append(Slow(at, round(seconds, 4), what))
        self.slowest.sort(key=lambda slow: -slow.seconds)
        del self.slowest[KEPT_SLOWEST:]
        if problem:
            self.errors += 1
            said = f"{what}: {problem}"
            if said not in self.problems and len(self.problems) < KEPT_PROBLEMS:
                self.problems.append(said)

    def document(self) -> dict[str, object]:
        ordered = sorted(self.latencies)
        p99 = ordered[int(0.99 * (len(ordered) - 1))] if ordered else 0.0
        return {
            "requests": self.requests,
            "errors": self.errors,
            "writes": self.writes,
            "refused": self.refused,
            "longest_seconds": round(ordered[-1], 4) if ordered else 0.0,
            "p99_seconds": round(p99, 4),
            "slowest": [{"at": s.at, "seconds": s.seconds, "what": s.what} for s in self.slowest],
            "problems": self.problems,
        }


class Exercise:
    """One run. Every order is for one share, at the market, and cancelled again right after."""

    def __init__(self, url: str, token: str, *, rate: float) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.port is None:
            raise InvalidInput(f"--url is {url!r}; it takes http://127.0.0.1:PORT", url=url)
        self._host, self._port, self._token = parts.hostname, parts.port, token
        self._every = CONNECTIONS / rate
        self._stopping = asyncio.Event()
        self._run, self._number = f"exercise-{time.time_ns():x}", 0
        self._to_cancel: deque[str] = deque()
        self.report = Report()

    def stop(self) -> None:
        """End soon; what is under way is still counted."""
        self._stopping.set()

    async def run(self, seconds: float) -> Report:
        """Raises `NotReady` when nothing answers, `InvalidInput` for an environment to keep off."""
        await self._require_dev()
        begin = asyncio.get_running_loop().time()
        workers = [
            asyncio.create_task(self._work(place, begin + self._every * place / CONNECTIONS))
            for place in range(CONNECTIONS)
        ]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        self._stopping.set()
        await asyncio.gather(*workers)
        return self.report

    async def _require_dev(self) -> None:
        try:
            status, body = await _Connection(self._host, self._port, "").ask("GET", "/version")
            environment = json.loads(body)["environment"] if status == 200 else ""
        except (OSError, TimeoutError, ValueError, LookupError, TypeError) as error:
            raise NotReady(
                f"nothing of ours answers at {self._host}:{self._port}: {error}"
            ) from error
        if environment != _ONLY_IN:
            raise InvalidInput(
                f"this is the API of {environment!r}; orders are made up in {_ONLY_IN!r} only",
                environment=environment,
            )

    async def _work(self, place: int, due: float) -> None:
        loop = asyncio.get_running_loop()
        connection = _Connection(self._host, self._port, self._token)
        turn = place
        while True:
            late = loop.time() > due
            if not late and not await self._wait(due):
                break
            if self._stopping.is_set():
                break
            begin = due if late else loop.time()
            await self._one(connection, turn, begin)
            turn, due = turn + 1, due + self._every
        connection.close()

    async def _wait(self, until: float) -> bool:
        """Whether the run still goes on then."""
        pause = until - asyncio.get_running_loop().time()
        try:
            await asyncio.wait_for(self._stopping.wait(), max(pause, 0.0))
        except TimeoutError:
            return True
        return False

    async def _one(self, connection: _Connection, turn: int, begin: float) -> None:
        method, path, body, key = self._next(turn)
        try:
            status, answer = await connection.ask(method, path, body, key)
            problem = self._judge(method, status, answer, key)
        except (OSError, TimeoutError, ValueError, EOFError) as error:
            connection.close()
            problem = str(error) or type(error).__name__
        seconds = asyncio.get_running_loop().time() - begin
        self.report.add(
            f"{method} {path.split('/exercise-')[0]}", time.time() - seconds, seconds, problem
        )

    def _next(self, turn: int) -> tuple[str, str, str, str]:
        """Three in ten are orders, as many cancels; the rest are reads."""
        if turn % 10 in (0, 3, 6):
            self._number += 1
            number, key = self._number, f"{self._run}-{self._number}"
            side = "buy" if number % 2 else "sell"
            order = {"symbol": SYMBOLS[number % len(SYMBOLS)], "side": side, "quantity": "1"}
            return "POST", "/api/orders", json.dumps({**order, "type": "market"}), key
        if turn % 10 in (1, 4, 7) and self._to_cancel:
            return "DELETE", f"/api/orders/{self._to_cancel.popleft()}", "", ""
        return "GET", READS[turn % len(READS)], "", ""

    def _judge(self, method: str, status: int, answer: bytes, key: str) -> str:
        """What was wrong with it, in words; empty for a right answer."""
        if method == "POST" and status == 201:
            self.report.writes += 1
            self._to_cancel.append(key)
            return ""
        if method == "POST" and status in (422, 429) and b"refusals" in answer:
            self.report.refused += 1
            return ""
        expected = {"GET": 200, "DELETE": 202}.get(method)
        return "" if status == expected else f"{status} {answer[:200].decode('utf-8', 'replace')}"


class _Connection:
    """One kept HTTP/1.1 connection, made at need and made again after a problem."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self._host, self._port = host, port
        self._common = f"Host: {host}:{port}\r\n" + (
            f"Authorization: Bearer {token}\r\n" if token else ""
        )
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: str = "", key: str = "") -> tuple[int, bytes]:
        """Status and body. Raises OSError, TimeoutError, EOFError, ValueError."""
        head = f"{method} {path} HTTP/1.1\r\n{self._common}"
        if key:
            head += f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        async with asyncio.timeout(LIMIT_SECONDS):
            if self._streams is None:
                self._streams = await asyncio.open_connection(self._host, self._port)
            reader, writer = self._streams
            writer.write((head + body).encode())
            return await self._answer(reader)

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        headers = dict(line.partition(": ")[::2] for line in lines[1:] if line)
        answer = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            self.close()
        return int(lines[0].split()[1]), answer

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
