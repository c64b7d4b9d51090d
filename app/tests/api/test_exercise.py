"""The exercise notices what a user would: failures, stalls, and that nothing was written."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

PRICE_OF_MSFT = """insert into trading.instruments (symbol, last_price, last_bar_timestamp)
  values ('MSFT', 30, '2001-01-02 21:00Z')"""


@pytest.fixture
def environ(api: Any, tmp_path: Path, connection: psycopg.Connection) -> dict[str, str]:
    connection.execute(PRICE_OF_MSFT)
    return {**os.environ, "SLIPWAY_TOKEN_FILE": str(tmp_path / "token")}


def _command(url: str, *words: str) -> list[str]:
    return [sys.executable, "-m", "trading", "exercise", "--url", url, *words, "--output", "json"]


def _exercise(url: str, environ: dict[str, str], *words: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        _command(url, *words), env=environ, capture_output=True, text=True, timeout=60
    )
    return done.returncode, json.loads(done.stdout or done.stderr)


def test_a_healthy_api_answers_everything_and_keeps_the_orders(
    api: Any, environ: dict[str, str], connection: psycopg.Connection
) -> None:
    code, report = _exercise(api.url, environ, "--seconds", "3", "--rate", "60")
    assert (code, report["errors"], report["problems"]) == (0, 0, [])
    assert 100 < report["requests"] < 260
    assert 0 < report["p99_seconds"] <= report["longest_seconds"] < 3
    assert report["slowest"][0]["seconds"] == report["longest_seconds"]
    (written,) = connection.execute(
        "select count(*) from trading.orders where client_order_id like 'exercise-%'"
    ).fetchone()
    assert written == report["writes"] > 20
    (canceled,) = connection.execute(
        "select count(*) from trading.orders where state = 'CANCELED'"
    ).fetchone()
    assert canceled >= written - 8  # the last ones may wait for their cancel


def test_a_lock_that_stops_orders_is_seen_as_a_stall(
    api: Any, environ: dict[str, str], connection: psycopg.Connection
) -> None:
    def hold() -> None:
        time.sleep(1.5)
        with connection.transaction():
            connection.execute("lock table trading.orders in access exclusive mode")
            time.sleep(0.8)

    holder = threading.Thread(target=hold)
    holder.start()
    _, report = _exercise(api.url, environ, "--seconds", "4")
    holder.join()
    assert 0.7 < report["longest_seconds"] < 3
    # Other requests read the orders too, and whichever came first waited longest.
    stalled = {slow["what"] for slow in report["slowest"] if slow["seconds"] > 0.3}
    assert any("/api/orders" in what for what in stalled), report["slowest"]


def test_requests_that_fail_are_errors_and_the_exit_code_says_so(
    api: Any, environ: dict[str, str], connection: psycopg.Connection
) -> None:
    connection.execute("alter table trading.orders rename column reason to because")
    code, report = _exercise(api.url, environ, "--seconds", "1.5")
    assert code == 1
    assert report["errors"] > 0
    assert any("/api/orders" in problem for problem in report["problems"])


def test_an_exercise_in_which_every_order_is_refused_is_no_exercise(
    api: Any, environ: dict[str, str], connection: psycopg.Connection
) -> None:
    connection.execute("update trading.risk_state set killed = true, reason = 'test'")
    code, report = _exercise(api.url, environ, "--seconds", "1")
    assert code == 1
    assert (report["errors"], report["writes"]) == (0, 0)
    assert report["refused"] > 0


def test_sigterm_ends_it_early_with_its_report(api: Any, environ: dict[str, str]) -> None:
    process = subprocess.Popen(
        _command(api.url, "--seconds", "600"), env=environ, stdout=subprocess.PIPE, text=True
    )
    time.sleep(2.5)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=15)
    assert process.returncode == 0
    assert json.loads(output)["requests"] > 10


def test_an_api_of_another_environment_is_left_alone(
    api_command: Any, tmp_path: Path, database_url: str, connection: psycopg.Connection
) -> None:
    with api_command(tmp_path, database_url) as pair:
        pair._environ["SLIPWAY_ENVIRONMENT"] = "production"
        pair.start("blue", live=True)
        environ = {**os.environ, "SLIPWAY_TOKEN_FILE": str(tmp_path / "token")}
        code, answer = _exercise(pair.url, environ, "--seconds", "1")
    assert code == 2
    assert "this is the API of 'production'" in answer["message"]
    assert connection.execute("select count(*) from trading.orders").fetchone() == (0,)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--url", "https://x", "--seconds", "1"], "it takes http://", id="url"),
        pytest.param(
            ["--url", "http://127.0.0.1:1", "--seconds", "0"], "between 0.1", id="no time"
        ),
        pytest.param(["--url", "http://127.0.0.1:1", "--seconds", "nan"], "between", id="nan"),
        pytest.param(["--url", "http://127.0.0.1:1", "--seconds", "soon"], "invalid", id="word"),
        pytest.param(["--url", "http://127.0.0.1:1"], "--seconds", id="missing"),
    ],
)
def test_bad_input_is_told_with_exit_code_2(tmp_path: Path, words: list[str], said: str) -> None:
    token = tmp_path / "token"
    token.write_text("a-token-that-only-this-test-knows")
    token.chmod(0o600)
    done = subprocess.run(
        [sys.executable, "-m", "trading", "exercise", *words],
        env={**os.environ, "SLIPWAY_TOKEN_FILE": str(token)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_there_is_told(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-token-that-only-this-test-knows")
    token.chmod(0o600)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        code, answer = _exercise(
            url, {**os.environ, "SLIPWAY_TOKEN_FILE": str(token)}, "--seconds", "1"
        )
    assert code == 1
    assert answer["error"] == "NOT_READY"
