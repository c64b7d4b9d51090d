"""The trader as a process: its loop beside its endpoint, until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import socket
import time
from pathlib import Path
from uuid import uuid4

import psycopg

from trading import artifact
from trading.api.sockets import own_socket
from trading.backtest.kernel import StrategyEngine
from trading.control.database import connect
from trading.control.endpoint import Endpoint
from trading.control.live_day import LiveDay
from trading.control.trader import Connections, Facts, Trader
from trading.errors import StrategyError, TradingError
from trading.lean_http import Server
from trading.market_data.replay import Replay
from trading.migrations.ledger import require_schema
from trading.settings import Settings
from trading.strategies.base import Strategy
from trading.strategies.registry import load_all
from trading.traffic_row import traffic_row
from trading.values import Values
from trading.venues.client import VenueClient

log = logging.getLogger("trading.trader")

_RECONNECT_SECONDS = 0.2
_PROBE_SECONDS = 1.0

_REGISTER = """
insert into trading.releases (release, source_commit, source_author, strategies)
values (%(release)s, %(commit)s, %(author)s, %(strategies)s::jsonb)
on conflict (release) do update set strategies = excluded.strategies,
  source_commit = excluded.source_commit, source_author = excluded.source_author
"""


def main(port: int | None = None) -> int:
    """Raises for settings, values and strategies that are wrong: then nothing was started."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    # Until the loop runs: the default action of the signal would end the process.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    settings = Settings.from_environment()
    process = _Process(settings, settings.values())
    asyncio.run(process.run(own_socket(settings, port, "trader")))
    return 0


class _Process:
    def __init__(self, settings: Settings, values: Values) -> None:
        self._settings = settings
        self._values = values
        self._url = settings.need_database_url()
        self._venue_url = settings.need_venue_url()
        self._bearer = settings.token()
        self._strategies: list[Strategy] = load_all(values)
        self._replay = Replay(values.replay.symbols)
        self._facts = Facts()
        self._holder = uuid4()
        self._endpoint = Endpoint(settings, artifact.digest(), lambda: self._facts)
        self._server = Server(self._endpoint.handle)
        self._row = traffic_row(settings)

    async def run(self, listening: socket.socket) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGUSR1, self._read_traffic)
        self._read_traffic()
        await self._server.start(listening)
        tasks = [asyncio.create_task(self._trade()), asyncio.create_task(self._probe_venue())]
        if self._row is not None:
            tasks.append(asyncio.create_task(self._row.follow(self._read_traffic)))
        stopped = asyncio.create_task(stop.wait())
        # A task that ends by itself is a defect: then the process ends too and is started again.
        await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
        if any(task.cancelled() for task in tasks):
            log.error("a task was cancelled by nobody; this process ends")
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _trade(self) -> None:
        """Connect, trade, and after a broken connection begin again from the start."""
        pause = _RECONNECT_SECONDS
        while True:
            began = time.monotonic()
            connections = Connections(self._url, self._settings.slot)
            live_day: LiveDay | None = None
            try:
                await connections.open()
                live_day = await asyncio.to_thread(self._live_day)
                await self._trader(connections, live_day).run()
            except (psycopg.Error, OSError, TradingError, ExceptionGroup) as error:
                causes = error.exceptions if isinstance(error, ExceptionGroup) else [error]
                self._facts.holding = False
                self._facts.database_ok = False
                self._facts.database_message = self._facts.last_error = str(causes[0]).strip()
                log.warning("begin again: %s: %s", type(causes[0]).__name__, causes[0])
            finally:
                await connections.close()
                if live_day is not None:
                    await asyncio.to_thread(live_day.close)
            worked = time.monotonic() - began > 5.0
            pause = _RECONNECT_SECONDS if worked else min(pause * 2, 1.0)
            await asyncio.sleep(pause)

    def _live_day(self) -> LiveDay:
        connection = connect(self._url, f"trading trader {self._settings.slot} days", 3)
        connection.execute("set idle_in_transaction_session_timeout = '1s'")
        connection.execute("set lock_timeout = '2s'")
        self._facts.schema = require_schema(connection)
        strategies = {
            strategy.name: strategy.parameters.model_dump(mode="json")
            for strategy in self._strategies
        }
        connection.execute(
            _REGISTER,
            {
                "release": self._settings.release,
                "commit": self._settings.source_commit,
                "author": self._settings.source_author,
                "strategies": json.dumps(strategies),
            },
        )
        return LiveDay(
            connection, self._values, self._replay, self._new_engine, self._settings.release
        )

    def _trader(self, connections: Connections, live_day: LiveDay) -> Trader:
        return Trader(
            slot=self._settings.slot,
            release=self._settings.release,
            connections=connections,
            venue=VenueClient(self._venue_url, self._bearer),
            live_day=live_day,
            seconds_per_day=self._values.replay.seconds_per_day,
            holder=self._holder,
            replace=not self._facts.warm,
            facts=self._facts,
        )

    def _new_engine(self) -> StrategyEngine:
        return StrategyEngine(self._strategies, self._left_out)

    def _left_out(self, error: StrategyError) -> None:
        self._facts.last_error = error.message
        log.warning("left out: %s", error)

    async def _probe_venue(self) -> None:
        """So that readiness also tells about the venue while another slot trades."""
        venue = VenueClient(self._venue_url, self._bearer, timeout_seconds=2.0)
        while True:
            alive = await venue.alive()
            self._facts.venue_ok = alive
            self._facts.venue_message = "" if alive else f"{self._venue_url} does not answer"
            await asyncio.sleep(_PROBE_SECONDS if not alive else 3 * _PROBE_SECONDS)

    def _read_traffic(self) -> None:
        """Only shown by /version: whether this process trades is decided by the lease."""
        if self._row is not None:
            self._endpoint.traffic = "live" if self._row.live else "idle"
            self._server.goodbye = not self._row.live
            return
        path: Path | None = self._settings.traffic_file
        word = "live"
        if path is not None:
            with contextlib.suppress(OSError):
                word = path.read_text(encoding="utf-8").strip()
        self._endpoint.traffic = word if word in ("live", "idle") else "idle"
