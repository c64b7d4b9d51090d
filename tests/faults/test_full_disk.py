"""The disk of an installation fills up in the middle of a release."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.disk import fill, small_file_system
from tests.harness.fixtures import another
from tests.harness.installation import Installation
from tests.harness.releases import two_releases
from tests.harness.steps import wait_for_step
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
    said, errors = asked.communicate(timeout=120)
    assert "Traceback" not in errors
    assert asked.returncode in (0, 4, 5), said + errors
    orders.stop()
    answer = cramped.up()
    assert answer.code == 0, str(answer)
    agreement = cramped.agreement(environment)
    agreement.wait(60)
    if asked.returncode != 0:
        history = cramped.run("history", environment).text
        assert re.search(r"space|disk", f"{said}{errors}{history}", re.IGNORECASE), said + history
    if asked.returncode != 5:  # a person is asked when the command could not see how it ended
        assert (agreement.row()["release"] == release) == (asked.returncode == 0), said
    account = settle(
        orders.acknowledged,
        cramped.port(environment, 3),
        cramped.token,
        cramped.database_uri(environment),
    )
    assert account.right, account
    assert cramped.run("audit", "verify", environment).code == 0
