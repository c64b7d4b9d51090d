"""`slipway status` says what was mended in the last hour, and no longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipelines.adapters.sqlite import open_records
from pipelines.cli.status import remarks
from pipelines.flows.context import Context
from pipelines.flows.drift import _HEALED, last_heals

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
QUIET: dict[str, Any] = {
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
