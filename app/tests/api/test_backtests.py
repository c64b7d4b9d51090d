"""Backtests through the API run elsewhere and report how far they are."""

from __future__ import annotations

import subprocess
import time
from typing import Any

import pytest


def wait(client: Any, number: str) -> Any:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = client.get(f"/api/backtest/{number}")
        if answer["state"] in ("DONE", "FAILED"):
            return answer
        time.sleep(0.1)
    raise AssertionError(answer)


def test_a_backtest_ends_with_its_result(api: Any) -> None:
    status, answer = api.client.ask(
        "POST",
        "/api/backtest",
        {"strategy": "sma-cross", "from": "2001-01-01", "to": "2002-12-31", "symbols": ["AAPL"]},
    )
    assert (status, answer["state"]) == (202, "QUEUED")
    ended = wait(api.client, answer["id"])
    assert ended["state"] == "DONE", ended["error"]
    assert ended["progress"]["days_done"] == ended["progress"]["days"] > 400
    assert ended["result"]["metrics"]["trades"] > 0


def test_a_backtest_that_proves_nothing_fails_with_the_reason(api: Any) -> None:
    _, answer = api.client.ask(
        "POST", "/api/backtest", {"strategy": "sma_cross", "from": "2001-01-01", "to": "2001-01-05"}
    )
    ended = wait(api.client, answer["id"])
    assert (ended["state"], ended["error"]["error"]) == ("FAILED", "TOO_FEW_BARS")


def test_the_api_answers_quickly_while_a_backtest_runs(api: Any) -> None:
    _, answer = api.client.ask("POST", "/api/backtest", {"strategy": "momentum"})
    children = []
    for _ in range(20):
        begin = time.monotonic()
        api.client.get("/api/risk")
        assert time.monotonic() - begin < 1.0
        children.append(_children(api.processes["blue"].pid))
        time.sleep(0.05)
    assert any(children)
    api.processes["blue"].terminate()
    api.processes["blue"].wait(timeout=6)
    assert not _alive(answer["id"])


def _children(pid: int) -> list[str]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
    return found.stdout.split()


def _alive(number: str) -> bool:
    return subprocess.run(["pgrep", "-f", number], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"strategy": "none"}, 404, "STRATEGY_UNKNOWN"),
        ({"symbols": ["NONE"]}, 404, "UNKNOWN_SYMBOL"),
        ({"symbols": []}, 422, "INVALID_INPUT"),
        ({"from": "2002-01-01", "to": "2001-01-01"}, 422, "INVALID_INPUT"),
        ({"from": "yesterday"}, 422, "INVALID_INPUT"),
        ({"capital": "NaN"}, 422, "INVALID_INPUT"),
        ({"capital": -1}, 422, "INVALID_INPUT"),
        ({"parameters": []}, 422, "INVALID_INPUT"),
        ({"colour": "red"}, 422, "INVALID_INPUT"),
    ],
)
def test_a_bad_request_starts_nothing(
    module_api: Any, change: dict[str, Any], status: int, error: str
) -> None:
    body = {"strategy": "sma-cross", **change}
    found, answer = module_api.client.ask("POST", "/api/backtest", body)
    assert (found, answer["error"]) == (status, error), answer


@pytest.mark.parametrize("number", ["x", "1", "00000000-0000-0000-0000-00000000000g"])
def test_a_number_of_no_backtest_is_refused(module_api: Any, number: str) -> None:
    assert module_api.client.ask("GET", f"/api/backtest/{number}")[0] == 422


def test_an_unknown_backtest_is_not_found(module_api: Any) -> None:
    path = "/api/backtest/00000000-0000-0000-0000-000000000000"
    status, answer = module_api.client.ask("GET", path)
    assert (status, answer["error"]) == (404, "NOT_FOUND")
