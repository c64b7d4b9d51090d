"""Paced load as an application's users make it, counting everything they would notice.

50 clients keep their connection, 50 new connections a second ask once and leave, a WebSocket
client resumes where it stopped; three in ten requests are orders with an idempotency key.

    python -m tests.load.generator --url http://127.0.0.1:8000 --token-file token --seconds 60

Prints one JSON document; exit code 1 when a single request failed. Standard library only.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.load.connection import Answer, Connection
from tests.load.mix import DEFAULT_PATHS, DEFAULT_SYMBOLS, Mix, Request
from tests.load.tally import Tally
from tests.load.websocket import Watched, Watcher

LIMIT_SECONDS = 10.0
REPEAT_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Plan:
    """What to generate. Rates are per second; `paths` are read, `order_share` is in 0..1."""

    url: str
    token: str = ""
    rate: float = 350.0
    clients: int = 50
    new_connections: float = 50.0
    order_share: float = 0.3
    resting: int = 0
    resting_price: str = "0.01"
    paths: Sequence[str] = DEFAULT_PATHS
    symbols: Sequence[str] = DEFAULT_SYMBOLS
    websocket_path: str = "/api/live"
    since: int = 0
    repeat_orders: bool = False
    run: str = field(default_factory=lambda: f"load-{time.time_ns():x}")


class Generator:
    """Runs a plan on the current event loop; results are in `tally`, `watched`, `acknowledged`."""

    def __init__(self, plan: Plan) -> None:
        parts = urlsplit(plan.url)
        self._plan = plan
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._mix = Mix(
            host=f"{self._host}:{self._port}",
            token=plan.token,
            run=plan.run,
            order_share=plan.order_share,
            paths=plan.paths,
            symbols=plan.symbols,
        )
        self._repeats: deque[Request] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = 0
        self._stopping = asyncio.Event()
        self.tally = Tally()
        self.watched = Watched()
        self.acknowledged: list[str] = []

    def stop(self) -> None:
        """End the run early; requests under way are still counted."""
        self._stopping.set()

    async def run(self, seconds: float) -> dict[str, object]:
        """Generate for so many seconds (or until `stop`), wait for every answer, then report."""
        plan, loop = self._plan, asyncio.get_running_loop()
        begin = loop.time()
        watcher = self._watch()
        for _ in range(plan.resting):
            self._spawn(self._ask_once(self._mix.resting(plan.resting_price), loop.time()))
        paced = max(0.0, plan.rate - plan.new_connections)
        for index in range(plan.clients if paced else 0):
            every = plan.clients / paced
            self._spawn(self._keep_asking(begin + every * index / plan.clients, every))
        if plan.new_connections:
            self._spawn(self._ask_anew(begin, 1.0 / plan.new_connections))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        self._stopping.set()
        while self._tasks:
            await asyncio.wait(self._tasks)
        if watcher is not None:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
        return self._report(loop.time() - begin)

    def _watch(self) -> asyncio.Task[None] | None:
        plan = self._plan
        if not plan.websocket_path:
            return None
        watcher = Watcher(self._host, self._port, plan.websocket_path, plan.token, plan.since)
        self.watched = watcher.seen
        return asyncio.create_task(watcher.run())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sleep_until(self, when: float) -> bool:
        """Sleep; returns whether the run still goes on."""
        pause = when - asyncio.get_running_loop().time()
        if pause > 0:
            await asyncio.sleep(pause)
        return not self._stopping.is_set()

    async def _keep_asking(self, due: float, every: float) -> None:
        connection: Connection | None = None
        loop = asyncio.get_running_loop()
        while True:
            # Late because of the answer before: it counts. Late because of a timer: it does not.
            late = loop.time() > due
            if not await self._sleep_until(due):
                break
            request = self._repeats.popleft() if self._repeats else self._mix.next()
            begin = due if late else loop.time()
            connection = await self._ask(connection, request, request.data, begin, "kept")
            due += every
        if connection is not None:
            connection.close()

    async def _ask_anew(self, due: float, every: float) -> None:
        while await self._sleep_until(due):
            self._spawn(self._ask_once(self._mix.next(), asyncio.get_running_loop().time()))
            due += every

    async def _ask_once(self, request: Request, due: float) -> None:
        connection = await self._ask(None, request, request.last_on_connection(), due, "new")
        if connection is not None:
            connection.close()

    async def _ask(
        self, connection: Connection | None, request: Request, data: bytes, due: float, kind: str
    ) -> Connection | None:
        """Ask one request, connecting if need be; returns the connection if it can be kept."""
        loop = asyncio.get_running_loop()
        self.tally.orders_sent += bool(request.order)
        if connection is None or connection.closed:
            try:
                connection = await self._connect()
            except (OSError, TimeoutError) as problem:
                self._finish(request, due, Answer(0, True, b"", f"connect: {problem}"), kind)
                return None
        done: asyncio.Future[Answer] = loop.create_future()
        connection.send(data, _resolve(done))
        limit = loop.call_later(LIMIT_SECONDS, connection.abort, "time limit")
        answer = await done
        limit.cancel()
        self._finish(request, due, answer, kind)
        return None if answer.closes else connection

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(LIMIT_SECONDS):
            _, connection = await loop.create_connection(Connection, self._host, self._port)
        self.tally.connections_opened += 1
        return connection

    def _finish(self, request: Request, due: float, answer: Answer, kind: str) -> None:
        latency = asyncio.get_running_loop().time() - due
        problem = answer.problem or (answer.body[:300].decode("utf-8", "replace"))
        good = self.tally.add(time.time() - latency, latency, answer.status, problem, kind)
        if not request.order:
            return
        if good:
            self.tally.orders_acknowledged += 1
            self.acknowledged.append(request.order)
        elif self._plan.repeat_orders and not self._stopping.is_set():
            self.tally.orders_repeated += 1
            asyncio.get_running_loop().call_later(REPEAT_SECONDS, self._repeats.append, request)

    def _report(self, seconds: float) -> dict[str, object]:
        seen = self.watched
        return {
            "seconds": round(seconds, 2),
            "rate": round(len(self.tally.status) / seconds, 1),
            **self.tally.report(),
            "websocket": {
                "failed": seen.failed,
                "connected": seen.connected,
                "resumed": seen.resumed,
                "repeated": seen.repeated,
                "lost_connections": seen.lost_connections,
                "refused": seen.refused,
                "events": len(seen.numbers),
                "first": seen.numbers[0] if seen.numbers else None,
                "last": seen.numbers[-1] if seen.numbers else None,
                "problems": seen.problems,
            },
        }


def _resolve(future: asyncio.Future[Answer]) -> Callable[[Answer], None]:
    def resolve(answer: Answer) -> None:
        if not future.done():
            future.set_result(answer)

    return resolve


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.generator", description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token-file", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=350.0, help="requests a second, all kinds")
    parser.add_argument("--clients", type=int, default=50, help="connections that are kept")
    parser.add_argument("--new-connections", type=float, default=50.0, help="a second")
    parser.add_argument("--order-share", type=float, default=0.3)
    parser.add_argument("--resting", type=int, default=0, help="limit orders to leave resting")
    parser.add_argument("--path", action="append", help="path to read; may be repeated")
    parser.add_argument("--symbols", default=",".join(DEFAULT_SYMBOLS))
    parser.add_argument("--no-websocket", action="store_true")
    parser.add_argument("--since", type=int, default=0, help="event the WebSocket starts after")
    parser.add_argument("--repeat-orders", action="store_true", help="repeat failed ones, same key")
    parser.add_argument("--samples", type=Path, help="write time, latency, status of each request")
    parser.add_argument("--acknowledged", type=Path, help="write ids of acknowledged orders")
    options = parser.parse_args(arguments)
    plan = Plan(
        url=options.url,
        token=options.token_file.read_text().strip() if options.token_file else "",
        rate=options.rate,
        clients=options.clients,
        new_connections=options.new_connections,
        order_share=options.order_share,
        resting=options.resting,
        paths=options.path or DEFAULT_PATHS,
        symbols=options.symbols.split(","),
        websocket_path="" if options.no_websocket else "/api/live",
        since=options.since,
        repeat_orders=options.repeat_orders,
    )
    return asyncio.run(_run(plan, options))


async def _run(plan: Plan, options: argparse.Namespace) -> int:
    generator = Generator(plan)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, generator.stop)
    report = await generator.run(options.seconds)
    if options.samples:
        generator.tally.write_samples(options.samples)
    if options.acknowledged:
        options.acknowledged.write_text("".join(f"{key}\n" for key in generator.acknowledged))
    print(json.dumps(report))
    return 1 if generator.tally.failed or generator.watched.failed else 0


if __name__ == "__main__":
    sys.exit(main())
