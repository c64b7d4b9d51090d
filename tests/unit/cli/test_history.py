"""`slipway history`: what was synced on a cluster stands below what was promoted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.adapters.sqlite import open_records
from pipelines.cli.commands import run
from pipelines.model.resource import ResourceKey
from pipelines.model.sync import ResourceResult, ResultCode, SyncOutcome, SyncPhase
from pipelines.records.sync_diary import SyncDiary
from pipelines.targets.local.layout import Installation


def outcome(phase: str, message: str, objects: int) -> SyncOutcome:
    results = tuple(
        ResourceResult(
            ResourceKey("", "ConfigMap", "slipway-dev", f"settings-{number}"),
            SyncPhase.SYNC,
            0,
            ResultCode.SYNCED,
            "created",
        )
        for number in range(objects)
    )
    return SyncOutcome(phase, message, results, "sha256:1", "2026-01-02", "2026-01-02")


@pytest.fixture
def synced(tmp_path: Path) -> Path:
    state = Installation.create(tmp_path, tmp_path, None).state
    diary = SyncDiary(lambda: open_records(state, "dev"))
    diary.synced("edge", outcome("Succeeded", "successfully synced", 3), {})
    diary.synced("blue", outcome("Failed", "one was refused\nwith a long reason", 2), {})
    return state


def test_each_sync_is_a_line_with_time_actor_part_and_result(
    synced: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["history", "dev", "--state", str(synced)]) == 0
    heading, newest, oldest = capsys.readouterr().out.strip().splitlines()[-3:]
    assert heading.split() == [
        "AT",
        "SYNC",
        "OF",
        *["RELEASE", "OBJECTS", "RESULT", "ACTOR", "MESSAGE"],
    ]
    _, *rest = newest.split()
    assert rest == ["blue", "-", "2", "failed", "slipway", "one", "was", "refused"]
    at, *rest = oldest.split()
    assert rest == ["edge", "-", "3", "succeeded", "slipway", "successfully", "synced"]
    assert at.startswith("20")


def test_the_json_has_them_in_the_same_order_with_every_object(
    synced: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["history", "dev", "--state", str(synced), "--output", "json"]) == 0
    syncs = json.loads(capsys.readouterr().out)["syncs"]
    assert [one["part"] for one in syncs] == ["blue", "edge"]
    assert [len(one["results"]) for one in syncs] == [2, 3]


def test_an_environment_without_a_cluster_has_no_second_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = Installation.create(tmp_path, tmp_path, None).state
    assert run(["history", "dev", "--state", str(state)]) == 0
    assert "SYNC OF" not in capsys.readouterr().out
