"""A whole environment for a test: database, venue process, traders of both slots."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from trading.control import handover
from trading.orders.model import OrderRequest, SubmitResult
from trading.orders.service import submit
from trading.values import RiskValues

TOKEN = "0123456789abcdef0123456789abcdef"  # not-a-secret: of servers that tests start
LIMITS = RiskValues(
    max_orders_per_second=10_000,
    max_position_quantity=Decimal(10**6),
    max_position_notional=Decimal(10**9),
    max_daily_loss=Decimal(10**9),
)
_VALUES = """
trading:
  replay: {{seconds_per_day: {seconds_per_day}}}
  strategies:
    momentum: {{plugin: momentum, capital: 100000, parameters: {{formation: 5, skip: 0, hold: 2}}}}
  risk: {{max_orders_per_second: 10000}}
"""


class World:
    def __init__(self, folder: Path, database_url: str, seconds_per_day: float = 0.1) -> None:
        self.url = database_url
        self._connect()
        self._folder = folder
        self._token_file = folder / "token"
        self._token_file.write_text(TOKEN)
        self._token_file.chmod(0o600)
        self._write_values(seconds_per_day)
        (folder / "venue").mkdir()
        self._venue_socket = _listen()
        self.venue_port = int(self._venue_socket.getsockname()[1])
        self._control = {slot: _listen() for slot in ("blue", "green")}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._switches = 0

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        for listening in (self._venue_socket, *self._control.values()):
            listening.close()
        self.connection.close()

    def start_venue(self) -> None:
        """Again on the same socket and the same book, if it ran before."""
        self._start("venue", ["serve", "venue"], self._venue_socket, "blue")
        wait_until(lambda: self.venue("GET", "/health/live")[0] == 200, "the venue answers")

    def start_trader(self, slot: str) -> None:
        self._start(slot, ["serve", "trader"], self._control[slot], slot)

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def kill(self, name: str) -> None:
        """kill -9, and gone."""
        self._processes[name].kill()
        self._processes[name].wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        self._processes[name].send_signal(number)

    def switch(self, to: str) -> None:
        self._switches += 1
        row = handover.show(self.connection)
        handover.switch(
            self.connection,
            handover.Switch(
                to=to,
                release="r1",
                operation=f"operation-{self._switches}",
                commit="c",
                token=self._switches,
                expect_epoch=row["epoch"] if row else 0,
                state="confirmed",
            ),
        )

    def submit(self, name: str, **changes: Any) -> SubmitResult:
        content = {"symbol": "AAPL", "side": "buy", "quantity": Decimal(1), **changes}
        request = OrderRequest(client_order_id=name, **content)
        return submit(self.connection, request, limits=LIMITS, release="r1")

    def venue(
        self, method: str, path: str, body: object = None, fence: str = ""
    ) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.venue_port, timeout=10)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        if fence:
            headers["X-Fencing-Token"] = fence
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def book(self) -> dict[str, Any]:
        return self.venue("GET", "/v1/book")[1]

    def trader(self, slot: str, path: str) -> tuple[int, str]:
        port = int(self._control[slot].getsockname()[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def ready(self, slot: str) -> bool:
        return self.trader(slot, "/health/ready")[0] == 200

    def holds(self, slot: str) -> bool:
        row = self.one("select slot, holder is not null from trading.lease")
        return bool(row == (slot, True))

    def one(self, query: str, *values: object) -> tuple[Any, ...]:
        row = self.connection.execute(query, values).fetchone()
        assert row is not None
        return row

    def states(self) -> dict[str, str]:
        rows = self.connection.execute("select client_order_id, state from trading.orders")
        return dict(rows.fetchall())

    def come_to_rest(self) -> None:
        """Kill the traders; let one reconcile, trade a last day, and then wait for an hour."""
        for slot in ("blue", "green"):
            if slot in self._processes:
                self.signal(slot, signal.SIGCONT)
                self.kill(slot)
        (slot,) = self.one("select slot from trading.lease")
        (before,) = self.one("select day_index from trading.replay_state")
        self._write_values(3600)
        self.start_trader(slot)
        wait_until(lambda: self.ready(slot), "the last trader is ready")
        query = """select completed_day = stored_day and not exists (select 1 from trading.orders
          where state in ('NEW', 'SENT', 'UNKNOWN')) from trading.replay_state"""
        days = "trading_days_total 1"
        wait_until(lambda: days in self.trader(slot, "/metrics")[1], "the last day is done")
        wait_until(lambda: self.one(query)[0], f"all is at rest after day {before}")

    def rest(self) -> None:
        """`come_to_rest`, and nobody trades any more."""
        self.come_to_rest()
        for slot in ("blue", "green"):
            if slot in self._processes:
                self.kill(slot)

    def go_on(self, seconds_per_day: float) -> None:
        """Blue trades again, at this pace."""
        self._write_values(seconds_per_day)
        self.start_trader("blue")

    def back_up(self) -> None:
        """Nobody may be connected."""
        self.connection.close()
        name = conninfo_to_dict(self.url)["dbname"]
        self._admin(f"create database {name}_backup template {name}")
        self._connect()

    def restore(self) -> None:
        """What was backed up, as often as needed, on a server that began a new timeline."""
        (epoch,) = self.one("select epoch from trading.lease")
        self.connection.close()
        name = conninfo_to_dict(self.url)["dbname"]
        self._admin(f"drop database {name} with (force)")
        self._admin(f"create database {name} template {name}_backup")
        self._connect()
        # Tokens of the time before must not count again; here the epoch stands for the timeline.
        self.connection.execute("update trading.lease set epoch = %s", [epoch + 1000])

    def _admin(self, statement: str) -> None:
        with psycopg.connect(make_conninfo(self.url, dbname="postgres"), autocommit=True) as admin:
            admin.execute(statement)

    def _connect(self) -> None:
        self.connection = psycopg.connect(self.url, autocommit=True)

    def wait_settled(self, timeout_seconds: float = 30.0) -> None:
        """Every order has ended or works at the venue."""
        query = """select not exists (select 1 from trading.orders
          where state in ('NEW', 'SENT', 'UNKNOWN'))"""
        wait_until(lambda: self.one(query)[0], "no order is under way", timeout_seconds)

    def _write_values(self, seconds_per_day: float) -> None:
        text = _VALUES.format(seconds_per_day=seconds_per_day)
        (self._folder / "values.yaml").write_text(text)

    def environ(self, slot: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "SLIPWAY_ENVIRONMENT": "test",
            "SLIPWAY_SLOT": slot,
            "SLIPWAY_RELEASE": "r1",
            "SLIPWAY_SOURCE_COMMIT": "c0ffee",
            "SLIPWAY_SOURCE_AUTHOR": "Ada <ada@example.org>",
            "SLIPWAY_DATABASE_URL": self.url,
            "SLIPWAY_TOKEN_FILE": str(self._token_file),
            "SLIPWAY_VALUES": str(self._folder / "values.yaml"),
            "SLIPWAY_VENUE_URL": f"http://127.0.0.1:{self.venue_port}",
            "SLIPWAY_DATA_DIR": str(self._folder / "venue"),
        }

    def _start(self, name: str, args: list[str], listening: socket.socket, slot: str) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "trading", *args],
                env={**self.environ(slot), "SLIPWAY_SLOT_FD": str(listening.fileno())},
                pass_fds=[listening.fileno()],
                stdout=log,
                stderr=log,
                cwd=self._folder,
            )


def assert_book_equals_ledger(world: World) -> None:
    """Each order once on both sides, each fill once, the same positions."""
    book = world.book()
    rows = world.connection.execute(
        "select client_order_id, state, filled_quantity from trading.orders "
        "where venue_order_id is not null or state in ('ACKED', 'PARTIALLY_FILLED', 'FILLED')"
    ).fetchall()
    here = {name: (state, filled) for name, state, filled in rows}
    names = {"WORKING": "ACKED"}
    there = {
        order["client_order_id"]: (
            names.get(order["state"], order["state"]),
            Decimal(order["filled_quantity"]),
        )
        for order in book["orders"]
    }
    assert here == there
    fills = world.connection.execute("select fill_id, quantity from trading.fills").fetchall()
    assert dict(fills) == {fill["fill_id"]: Decimal(fill["quantity"]) for fill in book["fills"]}
    assert len(fills) == len(book["fills"])
    positions = world.connection.execute(
        "select symbol, sum(quantity) from trading.positions group by symbol"
    ).fetchall()
    assert dict(positions) == {
        symbol: Decimal(quantity) for symbol, quantity in book["positions"].items()
    }


def assert_never_two_holders(world: World) -> None:
    """Tokens only grow, and a holder follows another only through a new token."""
    log = world.connection.execute(
        "select slot, holder, timeline, epoch from trading.lease_log order by id"
    ).fetchall()
    tokens = [(timeline, epoch) for _, _, timeline, epoch in log]
    assert tokens == sorted(set(tokens))


def wait_until(condition: Callable[[], object], what: str, timeout_seconds: float = 20.0) -> float:
    """Seconds it took; fails with `what` otherwise."""
    began = time.monotonic()
    problem = ""
    while time.monotonic() - began < timeout_seconds:
        try:
            if condition():
                return time.monotonic() - began
        except (OSError, http.client.HTTPException) as error:
            problem = f" ({error})"
        time.sleep(0.005)
    raise AssertionError(f"waited {timeout_seconds} s in vain: {what}{problem}")


def _listen() -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    return listening
