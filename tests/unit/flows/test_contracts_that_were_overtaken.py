"""A contract migration is applied as it was planned, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.flows.contract import contract, plan_contract
from pipelines.flows.rollback import rollback
from pipelines.model.errors import InProgress
from tests.support.flow_stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """r-new is active and confirmed, and nothing is under way."""
    made = Stage(tmp_path)
    made.switched()
    token = made.records.lock.preempt("controller", "controller", lease_seconds=60)
    made.records.journal.close("promotion-1", token, "succeeded", "confirmed")
    made.records.lock.release(token)
    return made


def test_a_contract_that_still_holds_is_applied(stage: Stage) -> None:
    plan = plan_contract(stage.context)
    assert [item.action for item in plan.items] == ["backup", "contract", "close"]
    assert "closed r-old" in contract(stage.context, plan, reason="unused")
    assert stage.target.migrated == ["r-new contract"]


def test_a_rollback_while_a_person_reads_the_plan_makes_it_void(stage: Stage) -> None:
    plan = plan_contract(stage.context)
    rollback(stage.context, reason="it is slow")
    with pytest.raises(InProgress, match="has changed since this plan was made"):
        contract(stage.context, plan, reason="unused")
    assert stage.target.migrated == []


def test_a_release_under_way_is_not_overtaken(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    plan = plan_contract(stage.context)
    with pytest.raises(InProgress, match="promotion-1 of ada is under way"):
        contract(stage.context, plan, reason="unused")
    assert stage.target.migrated == []
