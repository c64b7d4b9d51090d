"""What a person types as a reason, and whoever closes a pipe, stops nothing."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import Any

import click
import pytest

from pipelines.cli.commands import run, tree
from pipelines.cli.options import reason_option
from pipelines.cli.progress import Printer
from pipelines.cli.sync import result_of
from pipelines.flows.context import Progress
from pipelines.model.live import Handover
from pipelines.model.slots import Slot
from pipelines.targets.answers import handover_args
from tests.support.flow_stage import Stage


@pytest.mark.parametrize("reason", ["-50bps", "--reason", "plain words", ""])
def test_a_reason_may_begin_with_a_dash(reason: str) -> None:
    request = Handover(Slot.BLUE, "r-1", "rollback-1", "c", 1, 1, None, True, reason)
    assert handover_args(request)[-1] == f"--reason={reason}"


def test_a_reason_that_is_no_utf8_is_kept_as_well_as_it_can_be() -> None:
    said: list[str] = []

    @click.command()
    @reason_option("Why.")
    def command(reason: str) -> None:
        said.append(reason)

    latin = os.fsdecode("spät".encode("latin-1"))
    command.main(["--reason", latin], standalone_mode=False)
    command.main(["--reason", "spät"], standalone_mode=False)
    assert said == ["sp\ufffdt", "spät"]


def test_a_pipe_that_is_closed_does_not_end_an_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    closed = os.fdopen(writing, "w", buffering=1)
    monkeypatch.setattr(sys, "stderr", closed)
    tell = Printer()
    for step in ("verify", "switch", "confirm"):
        tell(Progress("dev", step, "done"))
    with suppress(BrokenPipeError):  # what lies in its buffer
        closed.close()


@pytest.fixture
def stage(tmp_path: Any) -> Stage:
    return Stage(tmp_path)


@pytest.mark.parametrize("status", ["succeeded", "undone", "refused", "failed"])
def test_a_sync_ends_as_the_operation_it_carried_out(stage: Stage, status: str) -> None:
    before = stage.records.journal.running()
    token = stage.records.lock.acquire("Ada", "sync", lease_seconds=60)
    stage.records.journal.close("promotion-1", token, status, "words")
    assert result_of(stage.context, "promotion-1 …: words", before) == status


def test_a_sync_that_only_mended_something_succeeded(stage: Stage) -> None:
    assert result_of(stage.context, "started web", stage.records.journal.running()) == "succeeded"


def test_a_sync_that_waits_for_somebody_is_not_done(stage: Stage) -> None:
    words = "waiting: the database does not answer"
    assert result_of(stage.context, words, stage.records.journal.running()) == "waiting"


def test_the_reason_option_is_the_same_everywhere() -> None:
    """Or some command would refuse what the others take."""
    for name in ("rollback", "promote", "hold", "unhold", "freeze", "thaw", "restore", "backup"):
        command = tree.get_command(click.Context(tree), name)
        assert command is not None
        (option,) = [one for one in command.params if one.name == "reason"]
        assert option.callback is not None, name


def test_a_program_is_told_of_a_free_lock_in_json(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipelines.cli.lock.open_environment", lambda *_: stage.context)
    assert run(["lock", "break", "dev", "--reason", "asleep", "--yes", "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"environment": "dev", "token": None, "was": None}
