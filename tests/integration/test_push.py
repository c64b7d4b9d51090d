"""Real pushes to a real origin: name, flow and history are judged before a branch moves."""

from __future__ import annotations

import sqlite3
import statistics
from pathlib import Path

import pytest

from tests.support.pushing import Place
from tests.support.tiny_application import git

FEATURE = "feature/quant-strategy-breakout"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_feature_branch_comes_in_and_a_check_waits_for_it(place: Place) -> None:
    head = place.app.commit("Add a strategy")
    pushed = place.push(f"HEAD:refs/heads/{FEATURE}")
    assert pushed.taken, pushed.words
    assert place.at(FEATURE) == head
    assert f"slipway check --follow {FEATURE}" in pushed.words
    job = place.jobs.newest(FEATURE)
    assert job is not None
    assert (job.kind, job.commit, job.status, job.actor) == ("check", head, "queued", "Ada")


BAD_NAMES = {
    "no prefix": ("breakout", "call it feature/breakout"),
    "nothing after the prefix": ("feature/-", "feature/"),
    "upper case": ("feature/Breakout", "upper-case letters"),
    "300 characters": ("feature/" + "a" * 190, "198 characters, at most 100"),
    "right-to-left mark": ("feature/a\u200fb", "RIGHT-TO-LEFT MARK"),
    "other alphabet": ("feature/br\u0435akout", "CYRILLIC SMALL LETTER IE"),
    "underscore": ("feature/a_b", "'_' after feature/"),
    "two dashes": ("feature/a--b", "two in a row"),
    "wrong version": ("release/v1.2", "no version of three numbers"),
    "leading zero": ("release/v01.2.3", "leading zero"),
    "no version": ("release/1.2.3", "release/v1.4.0"),
    "option-like": ("--force", "option"),
    "another kind": ("bugfix/x", "call it hotfix/x"),
}


@pytest.mark.parametrize(("name", "words"), BAD_NAMES.values(), ids=BAD_NAMES)
def test_a_badly_named_branch_is_refused_with_the_reason(
    place: Place, name: str, words: str
) -> None:
    pushed = place.push(f"HEAD:refs/heads/{name}")
    assert not pushed.taken
    assert words in pushed.words
    assert "git push slipway HEAD:" in pushed.words
    assert "Traceback" not in pushed.words
    assert git(place.bare, "for-each-ref", "--format=%(refname)").split() == [
        "refs/heads/develop",
        "refs/heads/main",
        "refs/slipway/incoming",
    ]


PROTECTED = {
    "main": "slipway promote production",
    "develop": "slipway merge feature/NAME",
    "env/dev": "slipway promote dev",
    "env/production": "slipway rollback production --reason",
    "release/v1.0.0": "slipway promote staging",
}


@pytest.mark.parametrize(("branch", "command"), PROTECTED.items(), ids=PROTECTED)
def test_a_push_to_a_protected_branch_is_refused_with_the_right_command(
    place: Place, branch: str, command: str
) -> None:
    before = place.at(branch)
    place.app.commit("By hand")
    for options in ((), ("--force",)):
        pushed = place.push(f"HEAD:refs/heads/{branch}", options=options)
        assert not pushed.taken
        assert command in pushed.words
        assert place.at(branch) == before


@pytest.mark.parametrize("branch", ["main", "develop"])
def test_a_protected_branch_is_not_deleted(place: Place, branch: str) -> None:
    before = place.at(branch)
    pushed = place.push(f":refs/heads/{branch}")
    assert not pushed.taken
    assert f"{branch} is not deleted" in pushed.words
    assert place.at(branch) == before


def test_a_tag_is_refused_because_slipway_sets_them(place: Place) -> None:
    pushed = place.push("HEAD:refs/tags/v1.0.0")
    assert not pushed.taken
    assert "slipway promote production" in pushed.words


def test_a_ref_that_is_no_branch_is_refused(place: Place) -> None:
    pushed = place.push("HEAD:refs/slipway/merge/x")
    assert not pushed.taken
    assert "refs/slipway/merge/x is no branch" in pushed.words


def test_a_rewritten_history_is_refused_and_the_branch_stays(place: Place) -> None:
    start = place.app.head
    first = place.app.commit("One")
    assert place.push(f"HEAD:refs/heads/{FEATURE}").taken
    place.app.git("reset", "--quiet", "--hard", start)
    place.app.commit("Another")
    pushed = place.push(f"+HEAD:refs/heads/{FEATURE}")
    assert not pushed.taken
    assert f"would rewrite the history of {FEATURE}" in pushed.words
    assert f"git merge slipway/{FEATURE}" in pushed.words
    assert place.at(FEATURE) == first


def test_work_on_top_comes_in_and_is_checked_instead_of_what_waited(place: Place) -> None:
    first = place.app.commit("One")
    place.push(f"HEAD:refs/heads/{FEATURE}")
    second = place.app.commit("Two")
    assert place.push(f"HEAD:refs/heads/{FEATURE}").taken
    statuses = {job.commit: job.status for job in place.jobs.all(10)}
    assert statuses == {first: "superseded", second: "queued"}


def test_a_history_of_its_own_is_refused(place: Place) -> None:
    place.app.git("checkout", "--quiet", "--orphan", "alone")
    place.app.commit("Start anew")
    pushed = place.push(f"HEAD:refs/heads/{FEATURE}")
    assert not pushed.taken
    assert "no commit in common with develop" in pushed.words
    assert "slipway/develop" in pushed.words


def test_a_hotfix_that_begins_at_develop_is_refused(place: Place) -> None:
    git(place.bare, "fetch", "--quiet", str(place.app.folder), place.app.commit("Unreleased"))
    git(place.bare, "update-ref", "refs/heads/develop", place.app.head)
    place.app.commit("Mend")
    pushed = place.push("HEAD:refs/heads/hotfix/x")
    assert not pushed.taken
    assert "hotfix/x starts from develop; it must start from main" in pushed.words


def test_a_hotfix_that_takes_in_some_of_develop_is_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = place.app.head
    earlier = place.app.commit("Unreleased")
    later = place.app.commit("Unreleased too")
    git(place.bare, "fetch", "--quiet", str(place.app.folder), later)
    git(place.bare, "update-ref", "refs/heads/develop", later)
    place.app.git("checkout", "--quiet", "--detach", start)
    # newer than what it shares with develop, as the newest common commit alone would not tell
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2090-01-01T10:00:00Z")
    released = place.app.commit("Released")
    git(place.bare, "fetch", "--quiet", str(place.app.folder), released)
    git(place.bare, "update-ref", "refs/heads/main", released)
    place.app.commit("Mend")
    assert place.push("HEAD:refs/heads/hotfix/x").taken
    place.app.git("merge", "--quiet", "--no-edit", "--strategy=ours", earlier)
    pushed = place.push("HEAD:refs/heads/hotfix/x")
    assert not pushed.taken
    assert "hotfix/x starts from develop; it must start from main" in pushed.words
    assert "git switch -c hotfix/x-2 slipway/main" in pushed.words


def test_the_flow_is_judged_by_the_data_of_the_branch_it_goes_to(place: Place) -> None:
    packaged = Path(__file__).parents[2] / "policies/branch_flow/policy.yaml"
    place.app.write(
        "policies/branch_flow/policy.yaml",
        packaged.read_text().replace("hotfix/*: [main]", "hotfix/*: [develop]"),
    )
    place.app.git("checkout", "--quiet", "-B", "main")
    commit = place.app.commit("Let hotfixes start from develop")
    git(place.bare, "fetch", "--quiet", str(place.app.folder), commit)
    git(place.bare, "update-ref", "refs/heads/main", commit)
    place.app.commit("Mend")
    pushed = place.push("HEAD:refs/heads/hotfix/x")
    assert not pushed.taken
    assert "hotfix/x starts from main; it must start from develop" in pushed.words


def test_what_is_no_commit_is_refused(place: Place) -> None:
    tree = place.app.git("rev-parse", "HEAD^{tree}")
    assert not place.push(f"{tree}:refs/heads/{FEATURE}").taken
    assert place.at(FEATURE) == ""


def test_an_unmerged_branch_is_not_deleted_a_merged_one_is(place: Place) -> None:
    head = place.app.commit("One")
    place.push(f"HEAD:refs/heads/{FEATURE}")
    pushed = place.push(f":refs/heads/{FEATURE}")
    assert not pushed.taken
    assert "on neither develop nor main" in pushed.words
    git(place.bare, "update-ref", "refs/heads/develop", head)
    assert place.push(f":refs/heads/{FEATURE}").taken
    assert place.at(FEATURE) == ""


def test_each_ref_of_one_push_is_judged_by_itself(place: Place) -> None:
    head = place.app.commit("One")
    pushed = place.push(f"HEAD:refs/heads/{FEATURE}", "HEAD:refs/heads/Bad", "HEAD:develop")
    assert not pushed.taken
    assert place.at(FEATURE) == head
    assert place.at("Bad") == ""
    assert place.at("develop") != head
    assert [job.branch for job in place.jobs.all(10)] == [FEATURE]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("engine", "no engine is installed"),
        ("broken", "could not judge"),
        ("policy", "policies/branch_names/policy.yaml"),
    ],
)
def test_what_cannot_be_judged_is_refused(place: Place, damage: str, words: str) -> None:
    current = place.state / "engine" / "current"
    if damage == "policy":
        place.app.write("policies/branch_names/policy.yaml", "severity: [")
        git(place.bare, "fetch", "--quiet", str(place.app.folder), place.app.commit("Break it"))
        git(place.bare, "update-ref", "refs/heads/develop", place.app.head)
    else:
        current.unlink()
    if damage == "broken":
        (current / "bin").mkdir(parents=True)
        (current / "bin" / "python").write_text("#!/bin/sh\nexit 139\n")
        (current / "bin" / "python").chmod(0o755)
    pushed = place.push(f"HEAD:refs/heads/{FEATURE}")
    assert not pushed.taken
    assert words in pushed.words
    assert place.at(FEATURE) == ""


def test_the_rules_come_from_the_branch_it_goes_to_not_from_the_one_that_is_pushed(
    place: Place,
) -> None:
    packaged = Path(__file__).parents[2] / "policies" / "branch_names" / "policy.yaml"
    wider = packaged.read_text().replace("- hotfix/", "- hotfix/\n    - spike/")
    place.app.write("policies/branch_names/policy.yaml", wider)
    place.app.commit("Allow spikes")
    assert not place.push("HEAD:refs/heads/spike/one").taken
    assert place.push("HEAD:refs/heads/feature/spikes").taken
    git(place.bare, "update-ref", "refs/heads/develop", place.app.head)
    assert place.push("HEAD:refs/heads/spike/one").taken


def test_a_push_is_taken_also_when_its_check_cannot_be_queued(place: Place) -> None:
    (place.state / "jobs.sqlite").write_text("no database" * 100)
    pushed = place.push(f"HEAD:refs/heads/{FEATURE}")
    assert pushed.taken
    assert place.at(FEATURE) == place.app.head
    assert "jobs.sqlite" in pushed.words
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(place.state / "jobs.sqlite").execute("select 1 from jobs")


def test_a_refused_push_does_not_wait_for_anybody(place: Place) -> None:
    place.app.commit("One")
    seconds = [place.push("HEAD:refs/heads/Bad").seconds for _ in range(5)]
    # 0.15 s on an idle machine, which the bench measures; this one is shared.
    assert statistics.median(seconds) < 3.0, seconds


def test_hooks_of_the_pusher_do_not_take_the_place_of_the_origins(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gitconfig").write_text(f"[core]\n\thooksPath = {tmp_path}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    place.app.commit("By hand")
    pushed = place.push("HEAD:refs/heads/develop")
    assert not pushed.taken
    assert "slipway merge feature/NAME" in pushed.words


def test_a_variable_of_the_pusher_does_not_change_who_judges(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "__init__.py").write_text("raise SystemExit(0)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert not place.push("HEAD:refs/heads/Bad").taken
