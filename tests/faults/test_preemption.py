"""A rollback that comes while a promotion is still under way: it goes first, and both say so."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.harness.installation import Installation
from tests.harness.releases import other_release, two_releases
from tests.harness.steps import wait_for_step

REASON = "not this one"


@pytest.fixture
def settled(installation: Installation) -> Iterator[Installation]:
    """Nothing is held in staging and all agree, before and after."""
    agreement = installation.agreement("staging")
    two_releases(installation)
    agreement.wait(30)
    lift_holds(installation)
    yield installation
    agreement.wait(60)
    lift_holds(installation)


def lift_holds(installation: Installation) -> None:
    for hold in installation.agreement("staging").branch()["holds"]:
        installation.run("unhold", "staging", hold["release"], "--reason", "next test")


@pytest.mark.parametrize("step", ["stage", "verify", "analyse"])
def test_a_rollback_does_not_wait_for_the_promotion_it_stops(
    settled: Installation, step: str
) -> None:
    """Before the switch what is active stays active; in the soak it becomes active again."""
    agreement = settled.agreement("staging")
    before, slots = agreement.row(), agreement.branch()["slots"]
    release = other_release(settled, "staging")
    asked = settled.start("promote", "staging", release, "--reason", "a test")
    try:
        wait_for_step(settled, "staging", step)
        back = settled.run("rollback", "staging", "--reason", REASON)
        said, errors = asked.communicate(timeout=60)
    finally:
        asked.kill()
        asked.wait()
    assert back.code == 0, str(back)
    assert back.data["result"] == "succeeded"
    assert f"{release} is held" in back.data["message"]
    assert back.seconds < 15
    agreement.wait(15, release=before["release"])
    row, branch = agreement.row(), agreement.branch()
    assert row["slot"] == before["slot"]
    switched = step == "analyse"
    assert row["epoch"] == before["epoch"] + (2 if switched else 0)
    assert [(hold["release"], hold["reason"]) for hold in branch["holds"]] == [(release, REASON)]
    assert branch["slots"] == slots

    assert asked.returncode == 4, said + errors
    told = json.loads(said)
    assert (told["release"], told["result"]) == (release, "preempted")
    assert REASON in told["message"]
    words = "a rollback by" if switched else "before the switch"
    assert words in told["message"]
    assert "slipway history staging" in told["hint"]
    assert "Traceback" not in said + errors + back.text
    assert settled.run("audit", "verify", "staging").code == 0
    again = settled.promote("staging", release)
    assert again.code == 1, str(again)
    assert REASON in again.text
