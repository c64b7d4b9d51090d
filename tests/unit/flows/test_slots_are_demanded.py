"""What has no slots comes to no cluster: `up` and `sync` say so before they do anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipelines.adapters.sqlite import open_records
from pipelines.flows.context import Context
from pipelines.flows.sync import plan_sync
from pipelines.flows.up import bring_up
from pipelines.model.branch import BranchHead, BranchReading, BranchState, RowReading
from pipelines.model.errors import BadInput, Refused
from pipelines.model.slots import Slot, SlotContent
from tests.support.manifests import release

ROLLING = release("r-2", strategy="rollingUpdate")
NAMED = BranchReading(
    head=BranchHead(
        "c1",
        None,
        BranchState(
            *("dev", Slot.BLUE, {Slot.BLUE: SlotContent("r-2", "2", "d"), Slot.GREEN: None}, ()),
            *("promotion", "why", "Ada", "op", "now", "d"),
        ),
    )
)
NEVER = BranchReading(trouble="absent")


class Touched(Exception):
    """Something was asked of the target that is more than a look."""


def _context(
    folder: Path, reading: BranchReading, *, cluster: bool = True, built: bool = True
) -> Context:
    def get(_: str) -> Any:
        if not built:
            raise Refused("not built here")
        return ROLLING

    def ensure(_: object) -> None:
        raise Touched

    return cast(
        Context,
        SimpleNamespace(
            environment="dev",
            records=open_records(folder, "dev"),
            origin=SimpleNamespace(read=lambda *_: reading),
            store=SimpleNamespace(get=get),
            manifests=object() if cluster else None,
            target=SimpleNamespace(read_row=lambda: RowReading(), ensure=ensure),
            now=lambda: datetime(2026, 1, 2, tzinfo=UTC),
            monotonic=lambda: 0.0,
            say=lambda *_: None,
        ),
    )


def _up(context: Context) -> None:
    bring_up([context], ROLLING, lambda _: None)


@pytest.mark.parametrize(
    ("act", "reading"),
    [(_up, NEVER), (_up, NAMED), (plan_sync, NAMED)],
    ids=["the first release", "up again", "sync"],
)
def test_an_environment_on_a_cluster_refuses_what_has_no_slots(
    tmp_path: Path, act: Callable[[Context], object], reading: BranchReading
) -> None:
    with pytest.raises(BadInput, match="strategy: rollingUpdate") as said:
        act(_context(tmp_path, reading))
    assert said.value.exit_code == 2


@pytest.mark.parametrize("else_where", [{"cluster": False}, {"built": False}])
def test_one_machine_and_what_is_not_built_go_on(tmp_path: Path, else_where: Any) -> None:
    with pytest.raises(Touched):
        _up(_context(tmp_path, NAMED, **else_where))
