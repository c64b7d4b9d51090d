"""A process that opens its own socket and follows the row, as in a pod."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import psycopg
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from world import wait_until

from trading.control import handover

TOKEN = "a-token-that-only-this-test-knows"
_operations = itertools.count(1)


class Pod:
    """One process with the variables of a pod."""

    def __init__(self, folder: Path, role: str, url: str, slot: str, **more: str) -> None:
        for name, content in (("token", TOKEN), ("url", url)):
            (folder / name).write_text(content)
            (folder / name).chmod(0o600)
        (folder / "values.yaml").write_text("trading: {}\nreplicas: 3\n")
        variables = {
            "SLIPWAY_SLOT": slot,
            "SLIPWAY_RELEASE": "r-test",
            "SLIPWAY_LISTEN": "127.0.0.1:0",
            "SLIPWAY_TRAFFIC": "row",
            "SLIPWAY_DATABASE_URL_FILE": str(folder / "url"),
            "SLIPWAY_TOKEN_FILE": str(folder / "token"),
            "SLIPWAY_VALUES": str(folder / "values.yaml"),
            "SLIPWAY_DATA_DIR": str(folder),
            **more,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trading", "serve", role],
            env={"PATH": os.environ["PATH"], **variables},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line.startswith(f"{role}: http://127.0.0.1:"), line
        self.port = int(line.rsplit(":", 1)[1])

    def open(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def traffic(self) -> str:
        connection = self.open()
        try:
            connection.request("GET", "/version")
            return str(json.loads(connection.getresponse().read())["traffic"])
        finally:
            connection.close()

    def becomes(self, word: str) -> float:
        return wait_until(lambda: self.traffic() == word, f"the process is {word}")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


Start = Callable[..., Pod]


@pytest.fixture
def start(tmp_path: Path, database_url: str) -> Iterator[Start]:
    """Starts a pod; all are ended with the test."""
    pods: list[Pod] = []

    def make(role: str = "api", slot: str = "blue", **more: str) -> Pod:
        folder = tmp_path / str(len(pods))
        folder.mkdir()
        pods.append(Pod(folder, role, database_url, slot, **more))
        return pods[-1]

    yield make
    for pod in pods:
        pod.end()


def switch(connection: psycopg.Connection, to: str) -> None:
    number = next(_operations)
    row = handover.show(connection)
    epoch = row["epoch"] if row else 0
    handover.switch(
        connection, handover.Switch(to, "r-test", f"o{number}", "c", number, epoch, "confirmed")
    )


def ask(client: http.client.HTTPConnection, path: str = "/health/live") -> tuple[int, str | None]:
    client.request("GET", path)
    answer = client.getresponse()
    answer.read()
    return answer.status, answer.getheader("connection")


@pytest.mark.parametrize("role", ["api", "trader"])
def test_a_process_is_idle_until_the_row_names_its_slot(
    start: Start, connection: psycopg.Connection, role: str
) -> None:
    pod = start(role, SLIPWAY_VENUE_URL="http://127.0.0.1:9")
    wait_until(pod.traffic, "the process answers")
    assert pod.traffic() == "idle"
    switch(connection, "green")
    time.sleep(0.3)
    assert pod.traffic() == "idle"
    switch(connection, "blue")
    assert pod.becomes("live") < 1
    switch(connection, "green")
    assert pod.becomes("idle") < 1


def test_an_idle_process_goes_on_accepting_and_says_goodbye_to_everybody(
    start: Start, connection: psycopg.Connection
) -> None:
    switch(connection, "blue")
    pod = start()
    pod.becomes("live")
    kept = pod.open()
    assert ask(kept) == (200, None)
    assert ask(kept) == (200, None)
    switch(connection, "green")
    pod.becomes("draining")
    assert ask(kept) == (200, "close")
    pod.becomes("idle")
    for _ in range(3):
        assert ask(pod.open(), "/health/ready") == (200, "close")
    switch(connection, "blue")
    pod.becomes("live")
    assert ask(kept) == (200, None)


def test_a_websocket_is_told_where_to_resume(start: Start, connection: psycopg.Connection) -> None:
    switch(connection, "blue")
    pod = start()
    pod.becomes("live")
    address = f"ws://127.0.0.1:{pod.port}/api/live"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with connect(address, additional_headers=headers, proxy=None) as client:
        assert json.loads(client.recv(timeout=5))["type"] == "hello"
        switch(connection, "green")
        last = {"type": "active"}
        while last == {"type": "active"}:
            last = json.loads(client.recv(timeout=5))
        assert last == {"type": "resume", "from": 0}
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=5)
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1012


def test_while_the_database_is_away_the_last_word_counts(
    start: Start, connection: psycopg.Connection, postgres: str
) -> None:
    switch(connection, "blue")
    live, idle = start(slot="blue"), start(slot="green")
    live.becomes("live")
    name = connection.info.dbname
    with psycopg.connect(postgres.format("postgres"), autocommit=True) as admin:
        admin.execute(f"alter database {name} with allow_connections false")
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s "
            "and application_name like 'trading%%'",
            (name,),
        )
        time.sleep(2.5)
        assert ask(live.open()) == (200, None)
        assert live.traffic() == "live"
        assert idle.traffic() == "idle"
        assert ask(live.open(), "/health/ready")[0] == 503
        admin.execute(f"alter database {name} with allow_connections true")
    switch(connection, "green")
    idle.becomes("live")
    live.becomes("idle")


def test_a_process_that_starts_without_a_database_is_not_live(tmp_path: Path) -> None:
    pod = Pod(tmp_path, "api", "postgresql://nobody@127.0.0.1:9/none", "blue")
    try:
        time.sleep(1.5)
        assert pod.traffic() == "idle"
        assert ask(pod.open(), "/health/ready")[0] == 503
    finally:
        pod.end()


def test_after_sigterm_new_connections_are_answered_for_a_while(
    start: Start, connection: psycopg.Connection
) -> None:
    switch(connection, "blue")
    pod = start()
    pod.becomes("live")
    kept = pod.open()
    ask(kept)
    began = time.monotonic()
    pod.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    assert ask(kept) == (200, "close")
    while time.monotonic() - began < 1.5:
        assert ask(pod.open()) == (200, "close")
    assert pod.process.wait(timeout=5) == 0
    assert time.monotonic() - began < 5


def test_a_service_process_listens_where_it_is_told(start: Start) -> None:
    pod = start("venue", SLIPWAY_TRAFFIC="")
    assert ask(pod.open()) == (200, None)


def test_an_address_that_is_taken_is_refused_with_its_name(
    slots: ModuleType, tmp_path: Path, database_url: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, "-m", "trading", "serve", "api"],
            env={"PATH": os.environ["PATH"], "SLIPWAY_LISTEN": address},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 2
    assert f"{address} cannot be listened on: Address already in use" in done.stderr
    assert "Traceback" not in done.stderr
