"""The local origin on real git: made from any checkout, written with an expected old value."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from pipelines.adapters.git import GitOrigin, init_origin
from pipelines.adapters.git_command import command, environment
from pipelines.model.branch import BranchState
from pipelines.model.errors import BadInput, InProgress, NeedsPerson, Unavailable
from pipelines.model.slots import Slot, SlotContent
from tests.support.tiny_application import ENVIRONMENT, TinyApplication, git


def state_of(operation: str, audit_head: str = "", environment: str = "dev") -> BranchState:
    return BranchState(
        environment=environment,
        active=Slot.BLUE,
        slots={Slot.BLUE: SlotContent("r-1", "1", "c" * 40), Slot.GREEN: None},
        holds=(),
        kind="promotion",
        reason="because",
        actor="Ada <x>\nLovelace",
        operation=operation,
        at="2026-03-02T12:00:00+00:00",
        audit_head=audit_head,
    )


class Place:
    """A checkout, the state folder, and the origin made from them."""

    def __init__(self, folder: Path) -> None:
        self.app = TinyApplication(folder / "checkout")
        self.state = folder / "state"
        self.bare = self.state / "origin.git"
        self.change = init_origin(self.state, self.app.folder)
        self.origin = GitOrigin(self.bare)

    def commit(self, operation: str, expect: str | None, audit_head: str = "") -> str:
        return self.origin.commit(
            "dev",
            state_of(operation, audit_head),
            {"slots/blue/processes.yaml": f"operation: {operation}\n"},
            expect=expect,
            subject=f"Promote {operation}",
            trailers={"Slipway-Operation": operation, "Slipway-Audit-Head": audit_head},
        )

    def take(self, branch: str) -> None:
        """A branch of the origin goes to the checkout's HEAD, past every rule."""
        git(self.bare, "fetch", "--quiet", str(self.app.folder), "HEAD")
        git(self.bare, "update-ref", f"refs/heads/{branch}", self.app.head)

    def head_of(self, branch: str) -> str:
        return git(self.bare, "rev-parse", branch)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# --- making and moving ----------------------------------------------------------------------------


def test_main_and_develop_start_at_the_checkouts_head(place: Place) -> None:
    assert place.change.created
    assert place.head_of("main") == place.head_of("develop") == place.app.head
    assert place.app.git("remote", "get-url", "slipway") == str(place.bare)


def test_a_second_time_nothing_happens(place: Place) -> None:
    change = init_origin(place.state, place.app.folder)
    assert (change.created, change.moved, change.refused, change.notes) == (False, {}, "", ())


def test_both_branches_move_forward_and_it_is_said_from_where_to_where(place: Place) -> None:
    first = place.app.head
    second = place.app.commit("Second")
    change = init_origin(place.state, place.app.folder)
    assert change.moved == {"main": (first, second), "develop": (first, second)}
    assert place.head_of("main") == place.head_of("develop") == second


def test_neither_moves_when_head_does_not_descend_from_both(place: Place) -> None:
    first = place.app.head
    place.app.commit("Ahead")
    place.take("develop")
    place.app.git("reset", "--quiet", "--hard", first)
    place.app.commit("Aside")
    change = init_origin(place.state, place.app.folder)
    assert "does not descend from main and develop" in change.refused
    assert change.moved == {}
    assert place.head_of("main") == first


def test_an_older_head_moves_nothing_back(place: Place) -> None:
    first = place.app.head
    second = place.app.commit("Second")
    init_origin(place.state, place.app.folder)
    place.app.git("reset", "--quiet", "--hard", first)
    assert init_origin(place.state, place.app.folder).refused
    assert place.head_of("main") == second


@pytest.mark.parametrize(
    ("switch", "words"),
    [(("-c", "feature/x"), "on feature/x"), (("--detach",), "on no branch")],
    ids=["another branch", "no branch"],
)
def test_nothing_moves_unless_the_checkout_is_on_main_and_it_is_said(
    place: Place, switch: tuple[str, ...], words: str
) -> None:
    first = place.app.head
    place.app.git("switch", "--quiet", *switch)
    place.app.commit("Second")
    change = init_origin(place.state, place.app.folder)
    assert words in change.left
    assert (change.moved, change.refused) == ({}, "")
    assert place.head_of("main") == place.head_of("develop") == first


def test_a_develop_ahead_of_an_unmoved_main_is_nothing_to_complain_about(place: Place) -> None:
    first = place.app.head
    place.app.commit("Merged")
    place.take("develop")
    place.app.git("reset", "--quiet", "--hard", first)
    change = init_origin(place.state, place.app.folder)
    assert (change.moved, change.refused, change.left) == ({}, "", "")


def test_a_shallow_clone_with_a_detached_head_and_no_identity_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = TinyApplication(tmp_path / "upstream")
    app.commit("Second")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{app.folder}", str(clone))
    git(clone, "checkout", "--quiet", "--detach")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/nowhere")
    init_origin(tmp_path / "state", clone)
    origin = GitOrigin(tmp_path / "state" / "origin.git")
    assert origin.settings("dev").target == "local"
    commit = origin.commit("dev", state_of("op"), {}, expect=None, subject="x", trailers={})
    assert origin.read("dev", None).head is not None
    monkeypatch.delenv("GIT_DIR")
    assert git(tmp_path / "state" / "origin.git", "log", "-1", "--format=%an %cn", commit) == (
        "Ada xLovelace Slipway"
    )


def test_a_checkout_with_a_long_path_is_fine(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["long-folder-name-of-thirty-chars"] * 7)
    assert len(str(folder)) > 200
    assert Place(folder).origin.reachable()


@pytest.mark.parametrize("made", [True, False], ids=["no commit", "no repository"])
def test_a_checkout_without_a_commit_is_refused_with_the_command(
    tmp_path: Path, made: bool
) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    if made:
        git(checkout, "init", "--quiet")
    with pytest.raises(BadInput, match="has no commits" if made else "not a git") as refused:
        init_origin(tmp_path / "state", checkout)
    assert "git " in refused.value.hint


def test_a_remote_that_points_elsewhere_is_left_alone(place: Place, tmp_path: Path) -> None:
    change = init_origin(tmp_path / "second", place.app.folder)
    assert "was left alone" in change.notes[0]
    assert place.app.git("remote", "get-url", "slipway") == str(place.bare)


# --- reading --------------------------------------------------------------------------------------


def test_a_commit_is_read_back_with_its_parent(place: Place) -> None:
    first = place.commit("one", None)
    second = place.commit("two", first)
    head = place.origin.read("dev", first).head
    assert head is not None
    assert (head.commit, head.parent) == (second, first)
    assert head.state == state_of("two")
    tree = git(place.bare, "ls-tree", "-r", "--name-only", second).split()
    assert tree == ["release.yaml", "slots/blue/processes.yaml"]
    assert place.origin.file("dev", first, "slots/blue/processes.yaml") == "operation: one\n"
    assert place.origin.file("dev", first, "slots/green/processes.yaml") is None


def test_reading_an_unchanged_head_starts_no_process(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = place.commit("one", None)
    place.origin.read("dev", commit)
    git(place.bare, "pack-refs", "--all")
    monkeypatch.setenv("PATH", "/nowhere")
    started = time.perf_counter()
    for _ in range(100):
        assert place.origin.read("dev", commit).head is not None
    assert time.perf_counter() - started < 0.5


def test_the_origin_is_away(place: Place) -> None:
    commit = place.commit("one", None)
    place.bare.rename(place.state / "elsewhere")
    assert not place.origin.reachable()
    assert place.origin.read("dev", commit).trouble == "unreachable"
    for act in (
        lambda: place.commit("two", commit),
        lambda: place.origin.history("dev", 5),
        lambda: place.origin.anchors("dev"),
        lambda: place.origin.settings("staging"),
        lambda: place.origin.restore_branch("dev", commit),
    ):
        with pytest.raises(Unavailable, match="cannot be read"):
            act()
    (place.state / "elsewhere").rename(place.bare)
    assert place.origin.read("dev", commit).head is not None


def test_a_branch_that_was_never_made_is_absent_and_one_that_was_is_deleted(place: Place) -> None:
    assert place.origin.read("dev", None).trouble == "absent"
    commit = place.commit("one", None)
    git(place.bare, "update-ref", "-d", "refs/heads/env/dev")
    reading = place.origin.read("dev", commit)
    assert (reading.trouble, commit in reading.detail) == ("deleted", True)
    place.origin.restore_branch("dev", commit)
    assert place.origin.read("dev", commit).head is not None


def test_a_branch_that_was_rewritten_is_said_and_restored(place: Place) -> None:
    first = place.commit("one", None)
    known = place.commit("two", first)
    git(place.bare, "update-ref", "refs/heads/env/dev", first)
    place.commit("other", first)
    assert place.origin.read("dev", known).trouble == "rewritten"
    place.origin.restore_branch("dev", known)
    head = place.origin.read("dev", known).head
    assert head is not None
    assert head.commit == known


def by_hand(place: Place, parent: str, message: str) -> str:
    commit = git(place.bare, "commit-tree", f"{parent}^{{tree}}", "-p", parent, "-m", message)
    git(place.bare, "update-ref", "refs/heads/env/dev", commit)
    return commit


def test_a_commit_by_hand_is_foreign_also_under_one_of_ours(place: Place) -> None:
    known = place.commit("one", None)
    foreign = by_hand(place, known, "quick fix")
    reading = place.origin.read("dev", known)
    assert reading.trouble == "foreign"
    assert "quick fix" in reading.detail
    place.commit("two", foreign)
    assert place.origin.read("dev", known).trouble == "foreign"


def test_a_commit_of_another_environment_is_foreign(place: Place) -> None:
    commit = place.commit("one", None)
    git(place.bare, "update-ref", "refs/heads/env/production", commit)
    assert place.origin.read("production", None).trouble == "foreign"


def test_a_reason_with_line_breaks_forges_no_trailer(place: Place) -> None:
    commit = place.origin.commit(
        "dev", state_of("op"), {}, expect=None, subject="x\n\nSlipway-Audit-Head: forged",
        trailers={"Slipway-Reason": "y\nSlipway-Audit-Head: forged"},
    )  # fmt: skip
    assert place.origin.read("dev", commit).head is not None
    assert place.origin.anchors("dev") == []


@pytest.mark.parametrize("content", ["active: [", None], ids=["not YAML", "missing"])
def test_a_release_yaml_that_cannot_be_read_is_broken(place: Place, content: str | None) -> None:
    known = place.commit("one", None)
    files = {"other": "x"} if content is None else {"release.yaml": content}
    lines = ""
    for name, text in files.items():
        blob = subprocess.run(
            command(place.bare, ["hash-object", "-w", "--stdin"], bare=True),
            input=text, capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        lines += f"100644 blob {blob}\t{name}\n"
    tree = subprocess.run(
        command(place.bare, ["mktree"], bare=True),
        input=lines, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    commit = git(
        place.bare, "commit-tree", tree, "-p", known, "-m", "x", "-m", "Slipway-Environment: dev"
    )
    git(place.bare, "update-ref", "refs/heads/env/dev", commit)
    assert place.origin.read("dev", known).trouble == "broken"


def test_a_ref_emptied_by_a_power_loss_is_broken(place: Place) -> None:
    known = place.commit("one", None)
    (place.bare / "refs/heads/env/dev").write_text("")
    assert place.origin.read("dev", known).trouble == "broken"
    place.origin.restore_branch("dev", known)
    assert place.origin.read("dev", known).head is not None


# --- writing --------------------------------------------------------------------------------------


def test_of_two_commits_on_the_same_head_one_is_refused(place: Place) -> None:
    first = place.commit("one", None)
    place.commit("two", first)
    for expect in (first, None, "0" * 40):
        with pytest.raises(InProgress, match="expected"):
            place.commit("late", expect)


def test_a_lock_that_a_killed_git_left_behind_is_removed(place: Place) -> None:
    first = place.commit("one", None)
    lock = place.bare / "refs/heads/env/dev.lock"
    lock.touch()
    with pytest.raises(Unavailable, match="took no commit"):
        place.commit("two", first)
    os.utime(lock, (1, 1))
    second = place.commit("two", first)
    assert place.head_of("env/dev") == second


def test_history_is_newest_first_and_leaves_out_what_is_not_ours(place: Place) -> None:
    first = place.commit("one", None, "a" * 64)
    foreign = by_hand(place, first, "quick fix")
    git(place.bare, "update-ref", "refs/heads/env/dev", first)
    second = place.commit("two", first, "b" * 64)
    history = place.origin.history("dev", 10)
    assert [c.commit for c in history] == [second, first]
    assert [c.subject for c in history] == ["Promote two", "Promote one"]
    assert history[0].state.operation == "two"
    assert [c.commit for c in place.origin.history("dev", 1)] == [second]
    assert place.origin.anchors("dev") == ["a" * 64, "b" * 64]
    assert foreign not in [c.commit for c in history]
    assert place.origin.history("staging", 5) == []


def test_a_commit_that_git_lost_cannot_be_restored(place: Place) -> None:
    with pytest.raises(NeedsPerson, match="no longer has commit"):
        place.origin.restore_branch("dev", "1" * 40)


def test_git_missing_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Unavailable, match="git is not installed"):
        place.commit("one", None)


# --- settings -------------------------------------------------------------------------------------


def test_settings_come_from_main_and_follow_it(place: Place) -> None:
    assert place.origin.settings("dev").soak_seconds == 30
    place.app.write("environments/dev/environment.yaml", ENVIRONMENT.replace("s: 30", "s: 5"))
    place.app.commit("Soak")
    assert place.origin.settings("dev").soak_seconds == 30
    init_origin(place.state, place.app.folder)
    assert place.origin.settings("dev").soak_seconds == 5


def test_a_missing_environment_is_refused_with_those_there_are(place: Place) -> None:
    with pytest.raises(BadInput, match="'qa' is missing") as refused:
        place.origin.settings("qa")
    assert "dev, production, staging" in refused.value.hint


def test_settings_behind_a_symbolic_link_are_refused(place: Place) -> None:
    file = place.app.folder / "environments/dev/environment.yaml"
    file.unlink()
    file.symlink_to("../staging/environment.yaml")
    place.app.commit("Link")
    init_origin(place.state, place.app.folder)
    with pytest.raises(BadInput, match="symbolic link"):
        place.origin.settings("dev")


def test_an_environment_folder_that_is_removed_whole_is_made_anew(place: Place) -> None:
    shutil.rmtree(place.bare)
    assert init_origin(place.state, place.app.folder).created
    assert place.origin.read("dev", "1" * 40).trouble == "deleted"


def test_nothing_of_an_outer_git_reaches_ours() -> None:
    outer = {"GIT_DIR": "/x", "GIT_INDEX_FILE": "/y", "PATH": "/bin"}
    cleaned = environment(outer, isolated=True, identity="Ada <a@b>\n", at="")
    assert "GIT_DIR" not in cleaned
    assert "GIT_INDEX_FILE" not in cleaned
    assert cleaned["GIT_AUTHOR_NAME"] == "Ada a@b"
