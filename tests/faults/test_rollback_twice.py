"""A rollback that died between the row and its end is finished by the next one, not undone by it."""

from __future__ import annotations

import pytest

from tests.harness.installation import Installation
from tests.harness.releases import other_release
from tests.harness.trouble import asleep, controllers


@pytest.mark.parametrize(
    "point",
    ["return.handover-back:after", "return.traffic-back:before", "return.stop-bad:after"],
)
def test_a_second_rollback_ends_what_the_first_began(
    installation: Installation, point: str
) -> None:
    agreement = installation.agreement("staging")
    agreement.wait(60)
    before = agreement.row()
    bad = other_release(installation, "staging")
    promoted = installation.run("promote", "staging", bad, "--reason", "a test", timeout=120)
    assert promoted.code == 0, str(promoted)
    agreement.wait(60, release=bad)
    with asleep(controllers(installation)):
        installation.arm(point, "staging")
        first = installation.run("rollback", "staging", "--reason", "the first")
        assert first.code != 0
        assert agreement.row()["release"] == before["release"]
        second = installation.run("rollback", "staging", "--reason", "the second")
        assert second.code == 0, str(second)
        assert agreement.row()["release"] == before["release"]
    agreement.wait(60, release=before["release"])
    assert agreement.row()["slot"] == before["slot"]
    held = {hold["release"]: hold["reason"] for hold in agreement.branch()["holds"]}
    assert held == {bad: "the first"}
    installation.run("unhold", "staging", bad, "--reason", "test is over")
