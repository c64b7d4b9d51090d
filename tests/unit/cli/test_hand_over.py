"""The command in `.venv` becomes the installed engine's, except for `up`, `build` and help."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cli.hand_over import MARKER, default_state, installed_state, state_of, target


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A state folder with something that looks like an installed engine."""
    home = tmp_path / "state" / "engine" / "e-0123456789ab"
    (home / "bin").mkdir(parents=True)
    for name in ("python", "slipway"):
        (home / "bin" / name).write_text("#!/bin/sh\n")
        (home / "bin" / name).chmod(0o755)
    (home / MARKER).write_text("{}")
    (home.parent / "current").symlink_to(home.name)
    return home


def variables(engine: Path) -> dict[str, str]:
    return {"SLIPWAY_STATE": str(engine.parent.parent)}


@pytest.mark.parametrize(
    "words", [["rollback", "dev"], ["status"], ["doctor"], ["controller", "dev"]]
)
def test_everything_else_runs_from_the_installed_engine(engine: Path, words: list[str]) -> None:
    program = target(words, variables(engine), "/elsewhere")
    assert program == str(engine.parent / "current" / "bin" / "slipway")


@pytest.mark.parametrize(
    "words", [["up"], ["build"], ["image"], [], ["--help"], ["rollback", "--help"]]
)
def test_building_installing_and_help_stay_in_the_checkout(engine: Path, words: list[str]) -> None:
    assert target(words, variables(engine), "/elsewhere") is None


def test_an_installed_engine_does_not_hand_over_again(engine: Path) -> None:
    assert target(["status"], variables(engine), str(engine)) is None


def test_a_broken_engine_is_not_handed_over_to(engine: Path) -> None:
    (engine / "bin" / "python").unlink()
    assert target(["status"], variables(engine), "/elsewhere") is None


def test_a_script_can_insist_on_the_checkout(engine: Path) -> None:
    insisting = variables(engine) | {"SLIPWAY_ENGINE": "checkout"}
    assert target(["status"], insisting, "/elsewhere") is None


def test_the_option_wins_over_the_variable_and_the_variable_over_the_default() -> None:
    told = {"SLIPWAY_STATE": "/from/variable"}
    assert state_of(["status", "--state", "/from/option"], told) == "/from/option"
    assert state_of(["status", "--state=/from/option"], told) == "/from/option"
    assert state_of(["status"], told) == "/from/variable"
    assert state_of(["status"], {}).endswith("/.slipway")


def test_an_installed_engine_knows_its_own_state_folder(engine: Path) -> None:
    assert installed_state(str(engine)) == str(engine.parent.parent)
    assert default_state(str(engine)) == str(engine.parent.parent)
    assert installed_state("/usr") is None
