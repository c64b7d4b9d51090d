"""The disk of an installation fills up in the middle of a release."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.disk import fill, small_file_system
from tests.harness.fixtures import another
from tests.harness.installation import Installation
from tests.harness.releases import two_releases
from tests.load.accounts import settle
from tests.load.orders import Orders


@pytest.fixture
def cramped(installation: Installation, tmp_path: Path) -> Iterator[Installation]:
    """An installation on a file system of its own."""
    tmp_path.chmod(0o755)
    with small_file_system(tmp_path / "disk", "3g") as disk, another(installation, disk) as made:
        yield made


@pytest.mark.parametrize(("environment", "step"), [("dev", "stage"), ("staging", "analyse")])
def test_a_disk_that_fills_up_during_a_release_costs_no_order_and_ends_in_one_slot(
    cramped: Installation, environment: str, step: str
) -> None:
    """Full from `stage` on: the switch itself. From `analyse` on: its confirmation."""
    release, _ = two_releases(cramped)
    orders = Orders(cramped.port(environment), cramped.token)
    orders.start()
    orders.wait_for_rate()
    asked = cramped.start("promote", environment, release, "--reason", "a disk is full")
    wait_for_step(cramped, environment, step)
    ballast = fill(cramped.state.parent)
    time.sleep(10)
    ballast.unlink()
    _, errors = asked.communicate(timeout=120)
    assert "Traceback" not in errors
    orders.stop()
    answer = cramped.up()
    assert answer.code == 0, str(answer)
    cramped.agreement(environment).wait(60)
    account = settle(
        orders.acknowledged,
        cramped.port(environment, 3),
        cramped.token,
        cramped.database_uri(environment),
    )
    assert account.right, account
    assert cramped.run("audit", "verify", environment).code == 0


def wait_for_step(installation: Installation, environment: str, step: str) -> None:
    """Until the newest operation has come so far."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        operation = installation.ok("history", environment, "--limit", "1")["operations"][0]
        states = {s["name"]: s["status"] for s in operation["steps"]}
        if operation["result"] == "running" and states.get(step, "pending") != "pending":
            return
        time.sleep(0.02)
    raise AssertionError(f"no operation reached {step}")
