"""How operations ended stands in the journal and in the audit, and it is what happened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.flows.held import held_here
from pipelines.flows.rollback import rollback
from pipelines.model.errors import StaleToken, Unavailable
from pipelines.model.live import Handover
from pipelines.model.slots import Slot
from tests.support.flow_stage import Stage
from tests.unit.flows.test_a_way_back_is_a_good_one import looked
from tests.unit.records.operations import operation


def cut_off(stage: Stage) -> str:
    """A rollback that was killed, or could not go on; its id."""
    token = stage.records.lock.preempt("Ada", "rollback", lease_seconds=60)
    stage.records.journal.close("promotion-1", token, "succeeded", "confirmed")
    begun = replace(operation("rollback-2", token, "r-old"), kind="rollback")
    stage.records.journal.open(begun)
    stage.records.lock.release(token)
    return begun.id


def test_a_rollback_that_was_cut_off_before_the_row_has_failed(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.switched()
    name = cut_off(stage)
    looked(stage)
    ended = stage.records.journal.get(name)
    assert ended is not None
    assert ended.status == "failed"
    assert "r-new is active" in ended.message
    assert "slipway rollback dev" in ended.message
    assert stage.audited == [("rollback", "failed")]


def test_a_rollback_that_was_cut_off_after_the_row_is_finished(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.switched()
    name = cut_off(stage)
    back = Handover(Slot.BLUE, "r-old", name, "c", 1, 2, None, False, "it is slow")
    stage.target.handover(None, back)
    looked(stage)
    ended = stage.records.journal.get(name)
    assert ended is not None
    assert ended.status == "succeeded"
    assert ("rollback", "succeeded") in stage.audited


def test_what_a_rollback_overtakes_is_audited_beside_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.switched()
    rollback(stage.context, reason="it is slow")
    assert stage.audited == [("promotion ended", "preempted"), ("rollback", "succeeded")]


def test_a_rollback_that_fails_is_not_said_to_have_gone_back(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.switched()

    def handover(release: object, request: Handover) -> None:
        raise Unavailable("handover did not end within 5 s")

    stage.context.target.handover = handover  # type: ignore[method-assign, assignment]  # it hangs
    with pytest.raises(Unavailable):
        rollback(stage.context, reason="it is slow")
    looked(stage)
    assert ("rollback", "succeeded") not in stage.audited
    assert ("rollback", "failed") in stage.audited
    assert held_here(stage.context) == set(), "what is still active was not left"


def test_whoever_was_overtaken_writes_no_end(tmp_path: Path) -> None:
    from pipelines.flows.ending import end

    stage = Stage(tmp_path)
    running = stage.records.journal.running()
    assert running is not None
    token = stage.records.lock.acquire("controller", "controller", lease_seconds=60)
    stage.records.lock.preempt("Ada", "rollback", lease_seconds=60)
    with pytest.raises(StaleToken):
        end(stage.context, running, token, "succeeded", "confirmed")
    assert stage.audited == []
