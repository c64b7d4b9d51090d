"""`git revert` on `env/<env>`: where Argo CD syncs, what Slipway wrote before comes back, and no more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.adapters.git import GitOrigin
from pipelines.model.branch import BranchState, Hold
from pipelines.model.slots import Slot, SlotContent
from pipelines.targets.local.controller_keeper import CLUSTER_FILE
from pipelines.targets.local.layout import Installation
from tests.support.pushing import Place, Pushed
from tests.support.tiny_application import git

BRANCH = "env/dev"
HELD = Hold("r-bad", "it fails", "Ada", "2026-03-02T12:00:00+00:00")


def _state(operation: str, *holds: Hold) -> BranchState:
    return BranchState(
        environment="dev",
        active=Slot.BLUE,
        slots={Slot.BLUE: SlotContent(f"r-{operation}", "1", "c" * 40), Slot.GREEN: None},
        holds=holds,
        kind="promotion",
        reason="because",
        actor="Ada",
        operation=operation,
        at="2026-03-02T12:00:00+00:00",
        audit_head="",
    )


class Branch:
    """dev, which Argo CD syncs, with releases `one` and `two`; and a person's clone of it."""

    def __init__(self, folder: Path) -> None:
        self.place = Place(folder)
        layout = Installation.load(self.place.state).layout("dev")
        layout.root.mkdir(parents=True)
        self.settings = layout.root / CLUSTER_FILE
        self.synced_by("argo-cd")
        self.origin = GitOrigin(self.place.bare)
        self.one = self.write(_state("one"), None)
        self.two = self.write(_state("two"), self.one)
        self.person = folder / "person"

    def synced_by(self, controller: str) -> None:
        where = {"context": "", "namespace": "dev", "image": "x", "controller": controller}
        self.settings.write_text(json.dumps(where))

    def write(self, state: BranchState, expect: str | None) -> str:
        files = {"slots/blue/manifests.yaml": f"operation: {state.operation}\n"}
        return self.origin.commit(
            "dev", state, files, expect=expect, subject=f"Promote {state.operation}", trailers={}
        )

    def clone(self) -> None:
        bare = str(self.place.bare)
        git(self.person.parent, "clone", "--quiet", "--branch", BRANCH, bare, str(self.person))

    def revert(self, *commits: str) -> str:
        self.clone()
        git(self.person, "revert", "--no-edit", *commits)
        return git(self.person, "rev-parse", "HEAD")

    def push(self, *options: str) -> Pushed:
        git(self.person, "remote", "add", "slipway", str(self.place.bare))
        self.place.app.folder = self.person
        return self.place.push(f"HEAD:refs/heads/{BRANCH}", options=options)


@pytest.fixture
def branch(tmp_path: Path) -> Branch:
    return Branch(tmp_path)


def test_a_revert_of_a_release_comes_in_and_is_followed(branch: Branch) -> None:
    made = branch.revert("HEAD")
    pushed = branch.push()
    assert pushed.taken, pushed.words
    for known in (None, branch.two, made):
        head = branch.origin.read("dev", known).head
        assert head is not None
        assert (head.commit, head.parent) == (made, branch.two)
        assert head.state == _state("one")
    later = branch.write(_state("three"), made)
    assert branch.origin.read("dev", branch.two).head is not None
    assert [commit.commit for commit in branch.origin.history("dev", 2)] == [later, made]


def test_several_reverts_come_in_together(branch: Branch) -> None:
    branch.write(_state("three"), branch.two)
    made = branch.revert("HEAD", "HEAD~1")
    assert branch.push().taken
    assert branch.place.at(BRANCH) == made
    head = branch.origin.read("dev", branch.two).head
    assert head is not None
    assert head.state.operation == "one"


def test_what_was_never_written_before_is_refused_and_foreign(branch: Branch) -> None:
    branch.clone()
    (branch.person / "slots/blue/manifests.yaml").write_text("operation: mine\n")
    git(branch.person, "commit", "--quiet", "--all", "--message", "Quick fix")
    pushed = branch.push()
    assert not pushed.taken
    assert "'Quick fix') was not written by Slipway" in pushed.words
    assert "slipway rollback dev" in pushed.words
    assert branch.place.at(BRANCH) == branch.two


def test_a_revert_after_work_by_hand_is_refused(branch: Branch) -> None:
    """The end is what Slipway wrote; what was between would have been applied, too."""
    branch.clone()
    (branch.person / "slots/blue/manifests.yaml").write_text("operation: mine\n")
    git(branch.person, "commit", "--quiet", "--all", "--message", "Quick fix")
    git(branch.person, "revert", "--no-edit", "HEAD")
    assert not branch.push().taken


def test_a_revert_under_slipways_name_is_refused(branch: Branch) -> None:
    branch.revert("HEAD")
    words = ("commit", "--quiet", "--amend", "-m", "Revert", "-m", "Slipway-Audit-Head: forged")
    git(branch.person, *words)
    assert not branch.push().taken


def test_an_empty_commit_is_refused_and_foreign(branch: Branch) -> None:
    branch.clone()
    git(branch.person, "commit", "--quiet", "--allow-empty", "--message", "Nothing")
    assert not branch.push().taken
    git(branch.place.bare, "fetch", "--quiet", str(branch.person), f"+HEAD:refs/heads/{BRANCH}")
    assert branch.origin.read("dev", branch.two).trouble == "foreign"


def test_a_revert_never_lifts_a_hold(branch: Branch) -> None:
    held = branch.write(_state("three", HELD), branch.two)
    branch.revert("HEAD")
    pushed = branch.push()
    assert not pushed.taken
    assert "would lift the hold of r-bad" in pushed.words
    git(branch.place.bare, "fetch", "--quiet", str(branch.person), f"+HEAD:refs/heads/{BRANCH}")
    assert branch.origin.read("dev", held).trouble == "foreign"
    assert "r-bad" in branch.origin.read("dev", held).detail


def test_a_revert_that_keeps_every_hold_comes_in(branch: Branch) -> None:
    held = branch.write(replace(_state("two", HELD), kind="hold"), branch.two)
    branch.write(_state("three", HELD), held)
    branch.revert("HEAD")
    assert branch.push().taken


def test_rewriting_the_branch_is_refused(branch: Branch) -> None:
    branch.clone()
    git(branch.person, "reset", "--quiet", "--hard", "HEAD~1")
    assert not branch.push("--force").taken
    assert branch.place.at(BRANCH) == branch.two


def test_where_slipway_syncs_a_revert_is_refused_with_the_right_command(branch: Branch) -> None:
    branch.synced_by("slipway")
    branch.revert("HEAD")
    pushed = branch.push()
    assert not pushed.taken
    assert "slipway rollback dev" in pushed.words
