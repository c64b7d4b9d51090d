"""`slipway sync --watch` goes on through what is over by itself, and through nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.cli import sync
from pipelines.model.errors import BadInput, InProgress, SlipwayError, Unavailable
from pipelines.model.plan import Plan


def watched(monkeypatch: pytest.MonkeyPatch, *looks: SlipwayError | Plan) -> None:
    """Each look finds the next of these; Ctrl-C comes after the last."""
    found: Iterator[SlipwayError | Plan] = iter(looks)

    def look(_: Any) -> Plan:
        one = next(found, None)
        if one is None:
            raise KeyboardInterrupt
        if isinstance(one, SlipwayError):
            raise one
        return one

    monkeypatch.setattr(sync, "WATCH_SECONDS", 0.0)
    monkeypatch.setattr(sync, "plan_of", look)
    context: Any = object()
    sync.go_on(context, dry_run=False, output="human")


def test_somebody_else_at_work_and_a_database_away_are_told_once_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    busy, away = InProgress("dev is being promoted"), Unavailable("no answer of the database")
    empty = Plan("dev", "sync dev", "", "", "", (), "")
    with pytest.raises(KeyboardInterrupt):
        watched(monkeypatch, busy, busy, away, empty, away)
    assert capsys.readouterr().err.splitlines() == [
        "dev is being promoted; looking again",
        "no answer of the database; looking again",
        "no answer of the database; looking again",
    ]


def test_what_needs_a_person_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="no such key"):
        watched(monkeypatch, BadInput("no such key"))
