"""A switch of slots under load, seen by the load generator of the repository."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]

pytestmark = pytest.mark.skipif(
    not (REPOSITORY / "tests/load/generator.py").is_file(),
    reason="the load generator lies in the repository around the application",
)


def run(
    slots: ModuleType,
    folder: Path,
    mode: str,
    switches: int,
    between: Callable[[Any, str], None],
) -> Any:
    """Switch back and forth under load; returns the generator's report."""
    command = [sys.executable, str(HERE / "plain_process.py")]
    with slots.SlotPair(folder, command, {}) as pair:
        pair.start("blue", "one", mode, live=True)
        pair.start("green", "two", mode)
        seconds = str(switches * 0.3 + 1)
        load = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.load.generator"),
                *("--url", pair.url, "--seconds", seconds, "--path", "/anything"),
            ],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
        )
        time.sleep(0.7)
        for number in range(switches):
            slot = ("green", "blue")[number % 2]
            between(pair, slot)
            pair.switch(slot)
            time.sleep(0.3)
        output, _ = load.communicate(timeout=60)
        return json.loads(output)


def nothing(pair: Any, slot: str) -> None:
    """Nothing to prepare."""


def restart(pair: Any, slot: str) -> None:
    if pair.processes[slot].poll() is not None:
        pair.start(slot, slot, "kill")


def test_twenty_switches_under_load_fail_no_request(slots: ModuleType, tmp_path: Path) -> None:
    report = run(slots, tmp_path, "drain", 20, nothing)
    assert report["failed"] == 0, report["problems"]
    assert report["requests"] > 1500
    assert report["latency_ms"]["slowest"] <= 250
    watched = report["websocket"]
    assert watched["failed"] == 0, watched["problems"]
    assert watched["resumed"] == 20
    assert watched["last"] - watched["first"] + 1 == watched["events"]


def test_the_generator_notices_a_switch_that_kills_the_old_process(
    slots: ModuleType, tmp_path: Path
) -> None:
    report = run(slots, tmp_path, "kill", 8, restart)
    assert report["resets"] + report["websocket"]["lost_connections"] > 0
    assert report["websocket"]["lost_connections"] > 0


def test_the_generator_notices_a_switch_that_closes_connections_at_once(
    slots: ModuleType, tmp_path: Path
) -> None:
    # Whether a request is under way when the connection closes is chance: 20 switches with 50
    # clients make it all but certain.
    assert run(slots, tmp_path, "close", 20, nothing)["resets"] > 0
