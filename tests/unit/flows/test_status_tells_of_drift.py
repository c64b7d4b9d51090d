"""`slipway status` says what was mended in the last hour, and no longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipelines.adapters.sqlite import open_records
from pipelines.cli.status import remarks
from pipelines.flows import cluster_syncs
from pipelines.flows.context import Context
from pipelines.flows.drift import _HEALED, last_heals
from pipelines.model.sync_state import SyncState

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
QUIET: dict[str, Any] = {
    "syncs": [],
    "name": "dev",
    "operation": None,
    "frozen": None,
    "alarm": None,
    "landing": None,
    "held": [],
    "controller": True,
}


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return cast(Context, SimpleNamespace(records=open_records(tmp_path, "dev"), now=lambda: NOW))


def test_what_was_mended_within_the_hour_is_told_newest_first(context: Context) -> None:
    ago = {"slot blue: changed": 5, "edge: was missing": 50, "blue is stopped": 70}
    told = {words: (NOW - timedelta(minutes=m)).timestamp() for words, m in ago.items()}
    context.records.journal.set_fact(_HEALED, told)
    found = last_heals(context)
    assert [one["drift"] for one in found] == ["slot blue: changed", "edge: was missing"]
    assert found[0]["at"] == "2026-01-02T11:55:00+00:00"
    assert remarks({**QUIET, "healed": found}) == [
        "drifted, healed at 2026-01-02T11:55:00+00:00: slot blue: changed",
        "drifted, healed at 2026-01-02T11:10:00+00:00: edge: was missing",
    ]


def test_nothing_is_told_where_nothing_was_mended(context: Context) -> None:
    assert last_heals(context) == []
    assert remarks({**QUIET, "healed": []}) == []


def test_what_the_syncer_in_the_cluster_healed_or_could_not_is_told_with_the_rest(
    context: Context,
) -> None:
    def heal(minutes: int, action: str, *, ok: bool = True, **more: Any) -> dict[str, Any]:
        at = (NOW - timedelta(minutes=minutes)).isoformat(timespec="milliseconds")
        return {"resource": "Service/dev/x", "action": action, "at": at, "ok": ok, **more}

    context.records.journal.set_fact(
        _HEALED, {"blue is stopped": (NOW - timedelta(minutes=7)).timestamp()}
    )
    fields = [{"path": "/spec/ports", "manager": "kubectl", "since": "noon"}]
    state = SyncState(
        *("slots", "slots"),
        heals=[
            heal(70, "create"),
            heal(9, "create"),
            heal(8, "change", fields=fields),
            heal(3, "change", ok=False, message="no:\nForbidden"),
            {"resource": "x", "at": "when?"},
        ],
    )
    found = last_heals(context, [state])
    assert [(one["drift"], one["healed"]) for one in found] == [
        ("Service/dev/x: no: Forbidden", False),
        ("blue is stopped", True),
        ("Service/dev/x was changed: /spec/ports by kubectl at noon; written again", True),
        ("Service/dev/x was missing; made again", True),
    ]
    assert remarks({**QUIET, "healed": found})[0].startswith(
        "drifted, not healed at 2026-01-02T11:57"
    )


def test_a_sync_in_the_cluster_that_waits_or_failed_is_told_and_a_good_one_is_not() -> None:
    states = [
        SyncState("a", "slots", revision="c" * 40, phase="Running", message="waiting\nfor x"),
        SyncState("b", "edge", revision="d" * 40, phase="Succeeded", message="all done"),
        SyncState("c", "more"),
    ]
    assert remarks({**QUIET, "healed": [], "syncs": cluster_syncs.now(states)}) == [
        "slots in the cluster, commit cccccccccccc: Running: waiting for x"
    ]
