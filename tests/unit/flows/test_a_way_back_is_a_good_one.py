"""A rollback never leads to what failed, was stopped, or was never verified."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.flows.deliver import ACTS
from pipelines.flows.holds import hold, unhold
from pipelines.flows.rollback import rollback
from pipelines.flows.run import Run, StepFailed
from pipelines.flows.sync import look
from pipelines.model.branch import BranchHead
from pipelines.model.errors import Refused
from pipelines.model.slots import Slot
from tests.support.flow_stage import Stage


def looked(stage: Stage) -> str:
    token = stage.records.lock.acquire("controller", "controller", lease_seconds=60)
    try:
        return look(stage.context, token, thorough=False)
    finally:
        stage.records.lock.release(token)


@pytest.mark.parametrize("kind", ["promotion", "sync"])
def test_what_has_not_switched_yet_is_stopped_and_what_is_active_stays(
    tmp_path: Path, kind: str
) -> None:
    """`sync`: somebody held another release, so that the branch ends in a commit of that kind."""
    stage = Stage(tmp_path, kind=kind)
    assert rollback(stage.context, reason="not this one").status == "succeeded"
    assert stage.target.row is not None
    assert stage.target.row.release == "r-old"
    assert (stage.target.killed, stage.target.accepts) == (["r-new"], Slot.BLUE)


def test_with_the_database_away_the_release_under_way_is_the_one_that_is_left(
    tmp_path: Path,
) -> None:
    """Traffic still goes to the old slot before the switch, and that is no reason to kill it."""
    stage = Stage(tmp_path)
    stage.target.down = True
    assert rollback(stage.context, reason="nothing works").status == "succeeded"
    assert (stage.target.killed, stage.target.accepts) == (["r-new"], Slot.BLUE)
    stage.target.down = False
    looked(stage)
    looked(stage)
    assert stage.target.handovers == []
    assert stage.target.row is not None
    assert stage.target.row.release == "r-old"
    assert [hold.release for hold in stage.origin.commits[-1].holds] == ["r-new"]


def test_with_the_database_away_after_the_switch_the_row_follows_when_it_is_back(
    tmp_path: Path,
) -> None:
    stage = Stage(tmp_path)
    stage.switched()
    stage.target.down = True
    rollback(stage.context, reason="nothing works")
    assert (stage.target.killed, stage.target.accepts) == (["r-new"], Slot.BLUE)
    stage.target.down = False
    looked(stage)
    assert stage.target.row is not None
    assert stage.target.row.release == "r-old"


@pytest.mark.parametrize("after", ["given back", "stopped"])
def test_what_failed_while_git_was_away_is_no_way_back(tmp_path: Path, after: str) -> None:
    stage = Stage(tmp_path)
    stage.origin.away = True
    if after == "given back":
        stage.given_back()
    else:
        rollback(stage.context, reason="not this one")
    with pytest.raises(Refused, match="r-new in green, the only way back of dev, is held itself"):
        rollback(stage.context, reason="once more")
    assert stage.target.handovers == []
    assert "r-old" not in stage.target.killed


def test_a_hold_that_git_was_told_is_lifted_where_git_lifts_it(tmp_path: Path) -> None:
    """Kept only for as long as git does not know: nothing else would ever end it."""
    stage = Stage(tmp_path)
    stage.origin.away = True
    rollback(stage.context, reason="not this one")
    assert stage.records.journal.fact("held_untold") == ["r-new"]
    stage.origin.away = False
    looked(stage)
    assert [hold.release for hold in stage.origin.commits[-1].holds] == ["r-new"]
    assert stage.records.journal.fact("held_untold") == []


@pytest.mark.parametrize("name", ["", "r", "r-", "r-n"])
def test_half_a_name_lifts_no_hold(tmp_path: Path, name: str) -> None:
    """As from a script whose variable is not set."""
    stage = Stage(tmp_path)
    rollback(stage.context, reason="not this one")
    with pytest.raises(Refused):
        unhold(stage.context, name, reason="a try")
    assert [hold.release for hold in stage.origin.commits[-1].holds] == ["r-new"]


def test_a_release_held_since_its_guard_is_not_switched_to(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    hold(stage.context, "r-new", reason="a bad backtest")
    running = stage.records.journal.running()
    assert running is not None
    token = stage.records.lock.acquire("controller", "controller", lease_seconds=60)
    head = BranchHead("c", None, stage.origin.commits[1])
    release: Any = stage.context.store.get("r-new")
    run = Run(stage.context, running, token, head, release, Slot.GREEN, "r-old", None)
    with pytest.raises(StepFailed, match="r-new was held meanwhile"):
        ACTS["switch"](run)
    assert stage.target.handovers == []
