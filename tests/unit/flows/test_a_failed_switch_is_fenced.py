"""A hand-over that was cut may still run: what the row says counts only once it cannot switch."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipelines.adapters.sqlite import open_records
from pipelines.flows.context import Context
from pipelines.flows.hook_switch import switch_hook
from pipelines.flows.run import Run, StepFailed
from pipelines.model.errors import NeedsPerson
from pipelines.model.slots import Slot
from tests.unit.records.operations import operation


def test_the_token_is_larger_before_the_row_is_asked_how_it_ended(tmp_path: Path) -> None:
    records = open_records(tmp_path, "dev")
    first = records.lock.acquire("a hook", "promotion", lease_seconds=60)
    seen: list[int] = []

    def handover(*_: object) -> None:
        raise NeedsPerson("handover did not end")

    def read_row() -> Any:
        status = records.lock.status()
        assert status is not None
        seen.append(status.token)
        return SimpleNamespace(down=False, row=None)

    context = cast(
        Context,
        SimpleNamespace(
            environment="dev",
            records=records,
            actor="a hook",
            target=SimpleNamespace(handover=handover, read_row=read_row),
            now=lambda: datetime.now(UTC),
            monotonic=lambda: 0.0,
            settings=lambda: SimpleNamespace(soak_seconds=0.0),
            say=lambda *_: None,
        ),
    )
    opened = records.journal.open(operation("promotion-1", first))
    head = SimpleNamespace(commit="c" * 40)
    release = SimpleNamespace(id="r-1")
    run = Run(context, opened, first, cast(Any, head), cast(Any, release), Slot.GREEN, None, None)
    with pytest.raises(StepFailed, match="handover did not end"):
        switch_hook(run, resumed=False, take_token=lambda: first + 7)
    assert seen[0] == first
    assert seen[-1] == first + 7
