"""`make hooks`: real commits and pushes with the hooks installed, and nothing foreign touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pushing import Place

ROOT = Path(__file__).resolve().parents[2]


class Hooked(Place):
    """A checkout with the scripts and a `.venv/bin/slipway` of the engine under test."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        shutil.copytree(ROOT / "scripts" / "hooks", self.app.folder / "scripts" / "hooks")
        self.app.write(".gitignore", ".venv/\n")
        program = self.app.folder / ".venv" / "bin" / "slipway"
        program.parent.mkdir(parents=True)
        program.write_text(
            f'#!/bin/sh\nSLIPWAY_STATE={self.state} exec {sys.executable} -m pipelines.cli.main "$@"\n'
        )
        program.chmod(0o755)
        self.app.commit("Add the hooks")

    def run(self, *argv: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        identity = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}
        identity |= {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org"}
        return subprocess.run(
            argv, cwd=folder or self.app.folder, env={**os.environ, **identity},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def install(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.run("scripts/hooks/install", *options)

    def commit(self, message: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        return self.run("git", "commit", "--allow-empty", "-m", message, folder=folder)


@pytest.fixture
def place(tmp_path: Path) -> Hooked:
    made = Hooked(tmp_path)
    assert made.install().returncode == 0
    return made


GOOD = {
    "plain": "Add a strategy",
    "72 characters": "A" * 72,
    "72 characters that are more bytes": "Ä" + "ä" * 71,
    "with a text": "Add a strategy\n\nIt trades on breakouts.",
    "a merge": "Merge branch 'x' into y, which is a subject that git writes by itself and is long",
    "a revert": 'Revert "Add a strategy"',
    "a code": "`slipway up` moves nothing",
}
BAD = {
    "empty": ("", "the message is empty"),
    "73 characters": ("A" * 73, "73 characters, at most 72"),
    "work in progress": ("WIP: strategy", "no finished commit"),
    "small work in progress": ("wip", "no finished commit"),
    "a fixup": ("fixup! Add a strategy", "no finished commit"),
    "a squash": ("squash! Add a strategy", "no finished commit"),
    "a dot": ("Add a strategy.", "ends with a dot"),
    "a small letter": ("add a strategy", "begins with a small letter"),
    "the past": ("Added a strategy", "says what was done"),
    "no empty line": ("Add a strategy\nIt trades.", "second line is not empty"),
}


@pytest.mark.parametrize("message", GOOD.values(), ids=GOOD)
def test_a_good_commit_message_is_taken(place: Hooked, message: str) -> None:
    done = place.commit(message)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("message", "words"), BAD.values(), ids=BAD)
def test_a_bad_commit_message_is_refused_with_the_reason(
    place: Hooked, message: str, words: str
) -> None:
    before = place.app.git("rev-parse", "HEAD")
    argv = ("git", "commit", "--allow-empty", "--allow-empty-message", "-m", message)
    done = place.run(*argv)
    assert done.returncode != 0
    assert words in done.stderr
    assert place.app.git("rev-parse", "HEAD") == before


def test_a_word_that_begins_like_work_in_progress_is_no_such(place: Hooked) -> None:
    assert place.commit("Wipe the cache").returncode == 0


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("main", "slipway promote production"),
        ("develop", "slipway merge feature/NAME"),
        ("env/dev", "slipway promote dev"),
    ],
)
def test_a_push_to_a_protected_branch_does_not_leave_the_checkout(
    place: Hooked, ref: str, words: str
) -> None:
    place.commit("Go on")
    done = place.run("git", "push", "slipway", f"HEAD:{ref}")
    assert done.returncode != 0
    assert "pre-push:" in done.stderr
    assert words in done.stderr
    assert "remote:" not in done.stderr


def test_without_a_slipway_to_judge_by_a_push_is_refused(place: Hooked) -> None:
    (place.app.folder / ".venv" / "bin" / "slipway").unlink()
    done = place.run("git", "push", "slipway", "HEAD:refs/heads/feature/x")
    assert done.returncode != 0
    assert "make venv" in done.stderr


def test_hooks_work_from_a_worktree(place: Hooked, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    place.app.git("worktree", "add", "--quiet", str(tree), "-b", "feature/x")
    assert "no finished commit" in place.commit("WIP", tree).stderr
    assert place.commit("Go on", tree).returncode == 0
    done = place.run("git", "push", "slipway", "HEAD:main", folder=tree)
    assert "main takes what was released" in done.stderr


def test_a_commit_without_the_scripts_is_judged_by_none(place: Hooked) -> None:
    place.app.git("rm", "-r", "--quiet", "scripts")
    assert place.commit("wip").returncode == 0


def test_twice_is_once_and_removing_leaves_nothing(place: Hooked) -> None:
    hooks = place.app.folder / ".git" / "hooks"
    before = {p.name: p.read_text() for p in hooks.iterdir() if p.suffix != ".sample"}
    assert place.install().returncode == 0
    assert {p.name: p.read_text() for p in hooks.iterdir() if p.suffix != ".sample"} == before
    assert set(before) == {"commit-msg", "pre-push"}
    assert place.install("--remove").returncode == 0
    assert [p for p in hooks.iterdir() if p.suffix != ".sample"] == []
    assert place.commit("wip").returncode == 0


def test_a_foreign_hook_is_left_alone_and_said(tmp_path: Path) -> None:
    place = Hooked(tmp_path)
    foreign = place.app.folder / ".git" / "hooks" / "commit-msg"
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("#!/bin/sh\nexit 0\n")
    done = place.install()
    assert done.returncode == 1
    assert "commit-msg is not ours and was left alone" in done.stderr
    assert "exec scripts/hooks/commit-msg" in done.stderr
    assert "pre-push installed" in done.stderr
    place.install("--remove")
    assert foreign.read_text() == "#!/bin/sh\nexit 0\n"


def test_a_folder_of_hooks_within_the_checkout_is_used(tmp_path: Path) -> None:
    place = Hooked(tmp_path)
    place.app.git("config", "core.hooksPath", ".hooks")
    assert place.install().returncode == 0
    assert (place.app.folder / ".hooks" / "commit-msg").exists()
    assert "no finished commit" in place.commit("WIP").stderr


def test_a_folder_of_hooks_that_others_may_share_is_left_alone(tmp_path: Path) -> None:
    place = Hooked(tmp_path)
    shared = tmp_path / "shared"
    place.app.git("config", "core.hooksPath", str(shared))
    done = place.install()
    assert done.returncode == 1
    assert "other repositories may use" in done.stderr
    assert list(shared.glob("*")) == []
