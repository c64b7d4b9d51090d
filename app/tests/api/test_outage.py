"""When PostgreSQL is down the API says so, and is back with it."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

Control = Callable[[str], None]


@pytest.fixture
def control(postgres: str) -> Iterator[Control]:
    """Stop and start the server of the tests, with the options it was started with."""
    folder = Path(parse_qs(urlsplit(postgres.format("x")).query)["host"][0])
    data = folder / "data"
    program, *options = shlex.split((data / "postmaster.opts").read_text())
    tool = Path(program).parent / "pg_ctl"
    owner = data.stat().st_uid
    prefix = []
    if owner == 0:  # PostgreSQL refuses root
        prefix = ["unshare", "-U", "--map-user=1000", "--map-group=1000", "--"]
    settings = shlex.join(options[options.index("-D") + 2 :] if "-D" in options else options)

    def run(action: str) -> None:
        extra = ["-m", "immediate"] if action == "stop" else ["-o", settings]
        subprocess.run(
            [*prefix, str(tool), "-D", str(data), "-w", "-l", str(folder / "log"), *extra, action],
            check=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    yield run
    if not (data / "postmaster.pid").exists():
        run("start")


def test_the_api_says_503_while_the_database_is_down_and_recovers(
    api: Any, control: Control
) -> None:
    client = api.client
    assert client.order("before")[0] == 201
    control("stop")
    for path in ("/api/orders", "/api/positions", "/api/risk", "/api/market/AAPL", "/api/slots"):
        status, answer = client.ask("GET", path)
        assert (status, answer["error"], answer["code"]) == (503, "DATABASE_UNAVAILABLE", 5001)
    assert client.order("during")[0] == 503
    assert client.ask("DELETE", "/api/orders/before")[0] == 503
    assert client.ask("POST", "/api/risk/kill", {"reason": "x"})[0] == 503
    assert client.ask("POST", "/api/backtest", {"strategy": "sma-cross"})[0] == 503
    assert client.ask("GET", "/")[0] == 503
    time.sleep(0.6)
    status, health = client.ask("GET", "/health/ready")
    assert (status, health["status"], health["checks"]["database"]["ok"]) == (503, "failing", False)
    assert client.ask("GET", "/health/live")[0] == 200
    assert client.ask("GET", "/version")[0] == 200
    control("start")
    assert client.order("during")[0] == 201
    time.sleep(0.6)
    assert client.ask("GET", "/health/ready")[0] == 200


def test_requests_do_not_notice_a_quick_restart_of_the_database(api: Any, control: Control) -> None:
    for number in range(6):
        api.client.order(f"warm-{number}")
    control("stop")
    control("start")
    answers = [api.client.order(f"after-{number}")[0] for number in range(6)]
    assert answers == [201] * 6


def test_a_database_without_tables_makes_the_process_not_ready(
    slots: Any, tmp_path: Path, empty_database_url: str, api_command: Any
) -> None:
    with api_command(tmp_path, empty_database_url) as pair:
        pair.start("blue", live=True)
        status, health = pair.get("blue", "/health/ready")
        assert status == 503
        assert "trading migrate up" in str(health["checks"])
        status, _ = pair.get("blue", "/health/startup")
        assert status == 503
