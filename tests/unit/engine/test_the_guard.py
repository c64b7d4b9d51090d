"""What stops a release at the door, and what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipelines.engine.guard import guard
from pipelines.model.branch import BranchState, Hold
from pipelines.model.live import MigrationStatus
from pipelines.model.release import Application, Release
from pipelines.model.slots import Slot, SlotContent

STATE = BranchState(
    "staging",
    Slot.GREEN,
    {Slot.BLUE: SlotContent("r-old", "1", "b" * 40), Slot.GREEN: SlotContent("r-new", "2", "c")},
    (),
    *("promotion", "", "ann", "promotion-1", "", ""),
)
RELEASE = Release(
    "r-new", "2", *("",) * 6, {}, ("m1", "m2"), {}, Application("", "", (), (), {}), {}
)  # fmt: skip
UP_TO_DATE = MigrationStatus(("m1", "m2"), (), (), ())


def refusals(
    state: BranchState = STATE,
    release: Release | None = RELEASE,
    freeze: tuple[str, str, str] | None = None,
    migrations: MigrationStatus | None = UP_TO_DATE,
) -> dict[str, str]:
    checks = guard(state, release, freeze=freeze, migrations=migrations)
    return {check.name: check.message for check in checks if not check.ok}


def test_a_built_release_without_hold_freeze_or_foreign_migrations_may_pass() -> None:
    assert refusals() == {}
    assert refusals(migrations=None) == {}


@pytest.mark.parametrize(
    ("change", "name", "said"),
    [
        ({"release": None}, "release", "slipway build"),
        (
            {"state": replace(STATE, holds=(Hold("r-new", "bad", "ada", "now"),))},
            "hold",
            "slipway unhold staging r-new",
        ),
        ({"freeze": ("ada", "holiday", "now")}, "freeze", "slipway thaw staging"),
        (
            {"migrations": MigrationStatus(("m1", "m9"), (), (), ("m9",))},
            "migrations",
            "lacks m9",
        ),
        (
            {"migrations": MigrationStatus(("m1",), ("m3",), ("m2",), (), blocked_by="m2")},
            "migration order",
            "slipway migrate contract staging",
        ),
    ],
)
def test_a_refusal_names_the_next_command(change: dict[str, Any], name: str, said: str) -> None:
    found = refusals(**change)
    assert list(found) == [name]
    assert said in found[name]


def test_a_rollback_passes_a_freeze() -> None:
    back = replace(STATE, kind="rollback")
    assert refusals(state=back, freeze=("ada", "holiday", "now")) == {}
