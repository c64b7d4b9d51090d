"""What `slipway image` refuses before it asks a Docker Engine anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.cli.commands import run
from pipelines.targets.local.layout import Installation


@pytest.mark.parametrize(
    ("words", "said", "next_step"),
    [
        (("--engine", "r-3f2a"), "--engine and release r-3f2a exclude each other", "leave out one"),
        (("--push",), "--push needs to know where to", "--repository REGISTRY/NAME"),
    ],
)
def test_options_that_do_not_go_together_are_named(
    words: tuple[str, ...],
    said: str,
    next_step: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    assert run(["image", *words, "--state", str(tmp_path), "--output", "json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["message"], error["hint"]) == (said, next_step)


def test_without_a_release_the_next_step_is_to_build_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    Installation.create(tmp_path, tmp_path, None)
    assert run(["image", "--state", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "no release was built yet" in said
    assert "slipway build" in said
