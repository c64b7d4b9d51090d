"""What every command promises before it touches anything: help, words, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pipelines.cli.commands import COMMANDS, run, tree

WITHOUT_INSTALLATION = [("hook",), ("plan",), ("health",), ("evidence", "prove")]
NOT_INSTALLED = ("down", "status", "releases")


def every_command() -> list[tuple[str, ...]]:
    """Every command and subcommand as the words people type."""
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = tree.get_command(click.Context(tree), name)
        if isinstance(command, click.Group):
            found += [(name, sub) for sub in command.commands]
        else:
            found.append((name,))
    return found


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_help_shows_examples_and_takes_json(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = said(capsys, *words, "--help")
    assert code == 0
    assert "Examples:" in out
    assert f"slipway {' '.join(words)}" in out
    assert "--output" in out
    assert words in WITHOUT_INSTALLATION or "--state" in out


def test_the_top_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "--help")
    assert code == 0
    assert all(f"  {name} " in out for name in COMMANDS)
    assert "Exit codes: 0" in out


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        pytest.param(["rollbak"], "No such command 'rollbak'", "Did you mean 'rollback'?", id="typo"),
        pytest.param(["promote"], "Missing argument 'ENV'", "--help", id="no environment"),
        pytest.param(
            ["promote", "prod"], "unknown environment 'prod'", "dev, staging, production",
            id="unknown environment",
        ),
        pytest.param(
            ["promote", "../dev"], "unknown environment '../dev'", "dev, staging", id="path as name"
        ),
        pytest.param(
            ["rollback", "production"], "needs a reason", "--reason", id="production without reason"
        ),
        pytest.param(
            ["promote", "production"], "needs a reason", "--reason", id="promotion without reason"
        ),
        pytest.param(["freeze", "dev"], "needs a reason", "--reason", id="freeze without reason"),
        pytest.param(["hold", "dev", "r-1"], "needs a reason", "--reason", id="hold without reason"),
        pytest.param(["lock", "break", "dev"], "needs a reason", "--reason", id="lock break"),
        pytest.param(["restore", "dev"], "needs a reason", "--reason", id="restore without reason"),
        pytest.param(["status", "--nope"], "No such option", "--help", id="unknown option"),
        pytest.param(["status", "mars"], "unknown environment 'mars'", "dev", id="status of nothing"),
        pytest.param(["history", "dev", "--limit", "0"], "--limit", "", id="number out of range"),
    ],
)  # fmt: skip
def test_bad_usage_exits_2_and_says_what_to_type(
    arguments: list[str], message: str, hint: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    code, out, err = said(capsys, *arguments)
    assert code == 2
    assert message in err
    assert hint in err
    assert "Traceback" not in err
    assert out == ""


@pytest.mark.parametrize("name", NOT_INSTALLED)
def test_without_an_installation_a_command_says_so(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = said(capsys, name, "--state", str(tmp_path / "none"))
    assert code == 2
    assert f"no installation at {tmp_path / 'none'}" in err
    assert "slipway up" in err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("arguments", [["promote"], ["status", "--nope"], ["nonsense"]])
def test_bad_usage_is_one_json_object_for_programs(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = said(capsys, *arguments, "--output", "json")
    error = json.loads(out)["error"]
    assert (code, error["exit_code"], err) == (2, 2, "")
    assert error["message"]
    assert "--help" in error["hint"]


def test_an_error_is_one_json_object_for_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = said(capsys, "status", "--state", str(tmp_path), "--output", "json")
    assert code == 2
    assert json.loads(out)["error"]["exit_code"] == 2
    assert err == ""


def test_a_rollback_does_not_import_what_it_may_not_need(tmp_path: Path) -> None:
    """The heavy libraries cost more than the whole way to the first useful statement."""
    script = (
        "import sys; from pipelines.cli.commands import run; "
        f"run(['rollback', 'dev', '--state', {str(tmp_path)!r}]); "
        "print([m for m in ('rich', 'httpx', 'psycopg', 'zmq', 'circus', 'uv') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_ctrl_c_ends_cleanly_with_130(tmp_path: Path) -> None:
    script = (
        "import pipelines.cli.commands as c, pipelines.cli.main as m, sys\n"
        "def stop(_): raise KeyboardInterrupt\n"
        "c.run = stop; sys.argv = ['slipway', 'up']; m.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


def test_colours_are_off_when_piped(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli.main", "status", "--state", str(tmp_path)],
        capture_output=True, text=True, check=False, env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    assert done.returncode == 2
    assert "\033[" not in done.stdout + done.stderr


def test_no_colour_is_written_to_a_terminal_where_nobody_wants_one() -> None:
    def written(**more: str) -> bytes:
        ours, theirs = os.openpty()
        command = [sys.executable, "-m", "pipelines.cli.main", "plan", "-f", "/no/such/file"]
        subprocess.run(command, stderr=theirs, env={**os.environ, **more}, check=False, timeout=60)
        os.close(theirs)
        found = os.read(ours, 10_000)
        os.close(ours)
        return found

    assert b"\x1b[" in written(NO_COLOR="")
    assert b"\x1b[" not in written(NO_COLOR="1")


def test_a_full_disk_behind_standard_output_is_no_traceback(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    for output in ("table", "json"):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "pipelines.cli.main", "plan", "-f", file, "-o", output],
                stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
            )  # fmt: skip
        assert done.returncode == 5
        assert done.stderr == "Error: No space left on device\n  slipway doctor\n"


def test_a_program_may_write_the_short_option_in_one_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = said(capsys, "plan", "-f", "/no/such/file", "-ojson")
    assert (code, json.loads(out)["error"]["exit_code"]) == (2, 2)
