"""An environment branch that somebody else wrote: live stays, rollback works, doctor repairs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.installation import Installation, git
from tests.harness.releases import other_release, two_releases


def deleted(origin: Path) -> None:
    git(origin, "update-ref", "-d", "refs/heads/env/dev")


def rewritten(origin: Path) -> None:
    git(origin, "update-ref", "refs/heads/env/dev", git(origin, "rev-parse", "env/dev~1"))


def foreign(origin: Path) -> None:
    tree = git(origin, "rev-parse", "env/dev^{tree}")
    parent = git(origin, "rev-parse", "env/dev")
    commit = git(origin, "commit-tree", tree, "-p", parent, "-m", "By hand")
    git(origin, "update-ref", "refs/heads/env/dev", commit)


@pytest.mark.parametrize("damage", [deleted, rewritten, foreign])
def test_a_damaged_branch_stops_promotions_and_nothing_else(
    installation: Installation, damage: Callable[[Path], None]
) -> None:
    for release in two_releases(installation):
        installation.promote("dev", release)
    agreement = installation.agreement("dev")
    agreement.wait(15)
    row = agreement.row()
    head = git(installation.origin, "rev-parse", "env/dev")
    damage(installation.origin)
    try:
        refused = installation.promote("dev", other_release(installation, "dev"))
        assert refused.code == 5, str(refused)
        assert f"env/dev is {damage.__name__}" in refused.text
        assert "slipway doctor --repair" in refused.text
        assert "Traceback" not in refused.text
        time.sleep(3)
        assert agreement.version()["release"] == row["release"]
        assert agreement.row()["epoch"] == row["epoch"]
        repaired = installation.run("doctor", "--repair")
        assert repaired.code == 0, str(repaired)
        agreement.wait(15, release=row["release"])
        assert git(installation.origin, "rev-parse", "env/dev") == head
    finally:
        git(installation.origin, "update-ref", "refs/heads/env/dev", head)


def test_a_rollback_works_with_the_origin_moved_away(installation: Installation) -> None:
    agreement = installation.agreement("dev")
    agreement.wait(15)
    row = agreement.row()
    away = installation.origin.with_name("away.git")
    installation.origin.rename(away)
    try:
        answer = installation.run("rollback", "dev", "--reason", "origin is away")
        assert answer.code == 0, str(answer)
        assert agreement.version()["release"] == row["previous_release"]
    finally:
        away.rename(installation.origin)
    agreement.wait(30, release=row["previous_release"])
    assert row["release"] in [hold["release"] for hold in agreement.branch()["holds"]]
    installation.run("unhold", "dev", row["release"], "--reason", "test is over")
