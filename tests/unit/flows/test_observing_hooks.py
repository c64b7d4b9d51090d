"""What the observer does about a switch hook that is slow, and about one that is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pipelines.adapters.sqlite import open_records
from pipelines.flows.context import Context
from pipelines.flows.observe import JOB_SECONDS, observe
from pipelines.model import hook
from pipelines.model.branch import (
    ActiveRow,
    BranchHead,
    BranchReading,
    BranchState,
    Hold,
    RowReading,
)
from pipelines.model.hook import HookRecord
from pipelines.model.live import Handover
from pipelines.model.slots import Slot
from tests.support import delivered
from tests.unit.records.operations import operation

NOW = delivered.AT
STATE = delivered.branch(Slot.GREEN, blue="r-old", green="r-1")
PROVISIONAL = replace(
    delivered.confirmed(Slot.GREEN, "r-1", before="r-old", operation="promotion-1", epoch=8),
    state="provisional", confirm_by=NOW - timedelta(seconds=1), token=1,
)  # fmt: skip
GIVEN_BACK = replace(
    PROVISIONAL, slot=Slot.BLUE, release="r-old", epoch=9, operation="promotion-1-late",
    state="confirmed", confirm_by=None, previous_slot=Slot.GREEN, previous_release="r-1",
    published=False, reason="not confirmed in time",
)  # fmt: skip


class World:
    """One environment: a row, a branch, a journal with promotion-1 running, hooks that do nothing."""

    def __init__(self, folder: Path, row: ActiveRow, state: BranchState, *, busy: bool) -> None:
        self.records = open_records(folder, "dev")
        self.token = self.records.lock.acquire("observer", "controller", lease_seconds=60)
        self.records.journal.open(operation("promotion-1", self.token))
        self.handovers: list[Handover] = []
        self.traffic: Slot | None = row.slot
        self.marked_with: list[Slot | None] = []
        running = HookRecord("promotion-1", "switch", "promotion-1", "r-1", "green",
                             hook.RUNNING, "", "")  # fmt: skip
        self.wrote = [running]
        head = BranchReading(head=BranchHead("c" * 40, None, state))
        self.context = cast(
            Context,
            SimpleNamespace(
                environment="dev",
                records=self.records,
                target=SimpleNamespace(
                    read_row=lambda: RowReading(row=row),
                    handover=lambda _, request: self.handovers.append(request),
                    traffic=lambda: self.traffic,
                    set_traffic=self._lead,
                    mark_published=lambda *_: self.marked_with.append(self.traffic),
                ),
                origin=SimpleNamespace(read=lambda *_: head),
                store=SimpleNamespace(get=lambda name: SimpleNamespace(id=name)),
                hooks=SimpleNamespace(of=lambda _: self.wrote, busy=lambda: busy),
                observed=None,
                syncer="argo-cd",
                now=lambda: NOW,
                say=lambda *_: None,
            ),
        )

    def _lead(self, slot: Slot, *, live: bool, wait_seconds: float = 0.0) -> bool:
        self.traffic = slot if live else self.traffic
        return wait_seconds > 0

    def look(self) -> str:
        return observe(self.context, self.token)


def test_a_hook_that_is_late_but_at_work_is_left_to_end(tmp_path: Path) -> None:
    world = World(tmp_path, PROVISIONAL, STATE, busy=True)
    assert "still at its analysis" in world.look()
    assert world.handovers == []


@pytest.mark.parametrize(("busy", "late_seconds"), [(False, 1.0), (True, JOB_SECONDS + 1)])
def test_a_hook_that_is_gone_is_gone_back_from(
    tmp_path: Path, busy: bool, late_seconds: float
) -> None:
    row = replace(PROVISIONAL, confirm_by=NOW - timedelta(seconds=late_seconds))
    world = World(tmp_path, row, STATE, busy=busy)
    assert world.look() == "switched back to r-old"
    (request,) = world.handovers
    assert (request.operation, request.slot) == ("promotion-1-late", Slot.BLUE)


def test_the_operation_of_a_hook_that_never_said_its_end_is_closed(tmp_path: Path) -> None:
    """Or nothing could be promoted any more."""
    held = (Hold("r-1", "not confirmed in time", "slipway", ""),)
    told = replace(STATE, active=Slot.BLUE, holds=held, kind="rollback")
    world = World(tmp_path, GIVEN_BACK, told, busy=False)
    assert world.look() == "published the return to r-old"
    ended = world.records.journal.get("promotion-1")
    assert ended is not None
    assert (ended.status, ended.message) == ("undone", "not confirmed in time")
    assert world.records.journal.running() is None


def test_traffic_follows_the_row_before_git_hears_of_it(tmp_path: Path) -> None:
    """A hand-over that was cut off wrote the row, and led nobody there; Argo CD would take the slot away."""
    told = replace(STATE, active=Slot.BLUE, holds=(Hold("r-1", "late", "slipway", ""),))
    world = World(tmp_path, GIVEN_BACK, told, busy=False)
    world.traffic = Slot.GREEN
    assert "mended: traffic goes to green, the row says blue" in world.look()
    assert world.marked_with == [Slot.BLUE]


def test_traffic_is_left_alone_while_a_release_is_analysed(tmp_path: Path) -> None:
    row = replace(PROVISIONAL, confirm_by=NOW + timedelta(seconds=10))
    world = World(tmp_path, row, STATE, busy=True)
    world.traffic = Slot.BLUE
    world.look()
    assert world.traffic is Slot.BLUE


def test_hooks_that_found_their_work_done_are_no_operation(tmp_path: Path) -> None:
    """As those of a heal were, before `git revert` names what they had found again."""
    row = replace(GIVEN_BACK, operation="promotion-3", published=True)
    world = World(tmp_path, row, replace(STATE, operation="promotion-2"), busy=False)
    world.records.journal.close("promotion-1", world.token, "succeeded", "")
    world.wrote = [
        HookRecord("promotion-1-late", step, "promotion-2", "r-1", "green", hook.SKIPPED,
                   "skipped: r-1 is active in green already", NOW.isoformat())
        for step in hook.STEPS
    ]  # fmt: skip
    assert "on its way" in world.look()
    assert world.records.journal.running() is None
