"""From a pushed branch to develop: checked, approved, merged by git alone, and delivered."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.flows.approve import approve
from pipelines.flows.merge import Merged, merge
from pipelines.flows.source_ports import Move
from pipelines.flows.working import find_work
from pipelines.model.errors import BadInput, InProgress, Refused
from pipelines.model.evidence import APPROVAL, CHECK, MERGE
from pipelines.model.source import source_digest
from pipelines.wiring_jobs import open_branches
from tests.support.reviewing import ADA, BEN, Reviewed
from tests.support.tiny_application import git

X, Y = "feature/speed", "feature/colour"
ENGINE = "e-1"
VALUES = "environments/base/values.yaml"


@pytest.fixture
def place(tmp_path: Path) -> Reviewed:
    return Reviewed(tmp_path)


def ready(place: Reviewed, name: str = X, path: str = VALUES, text: str = "tiny:\n  s: 3\n") -> str:
    """A branch that is pushed, checked and approved; its commit."""
    head = place.branch(name, path, text)
    place.run_checks()
    approve(place.desk(), name, "")
    return head


# --- checks -----------------------------------------------------------------------------------------


def test_every_stage_of_a_check_is_signed_by_the_check_runner_also_a_red_one(
    place: Reviewed,
) -> None:
    head = place.branch(X, VALUES, "tiny:\n  speed: 3\n")
    place.red = {"quality": "failed"}
    job, outcome = place.run_job("check")
    assert (outcome.status, "quality failed" in outcome.message) == ("failed", True)
    desk = place.desk()
    proven = desk.evidence.proven(source_digest(desk.origin.trees(head)))
    said = {one.predicate["stage"]: one for one in proven.statements}
    assert len(said) == 6
    assert all(one.predicate_type == CHECK and one.role == "check-runner" for one in said.values())
    assert said["quality"].predicate["status"] == "failed"
    assert said["policy"].predicate["commit"] == job.commit == head


def test_a_stage_that_could_not_work_makes_the_job_broken(place: Reviewed) -> None:
    place.branch(X, VALUES, "tiny:\n  speed: 3\n")
    place.red = {"security": "broken"}
    assert place.run_job("check")[1].status == "broken"


# --- approving --------------------------------------------------------------------------------------


def test_ones_own_change_is_marked_as_self_approval(place: Reviewed) -> None:
    head = place.branch(X, VALUES, "tiny:\n  speed: 3\n")
    place.run_checks()
    where, said = approve(place.desk(), X, "read it")
    assert (said.predicate["self_approval"], said.predicate["commit"]) == (True, head)
    assert (said.signer, said.role, where.target) == (ADA, "person", "develop")
    entry = place.desk().audit.entries()[-1]
    assert (entry.action, entry.actor, entry.details["self_approval"]) == ("approve", ADA, True)


def test_somebody_elses_is_not_and_twice_is_once(place: Reviewed) -> None:
    place.branch(X, VALUES, "tiny:\n  speed: 3\n")
    place.run_checks()
    desk = place.desk(BEN)
    assert approve(desk, X, "")[1].predicate["self_approval"] is False
    where, _ = approve(desk, X, "again")
    statements = desk.evidence.proven(where.source).statements
    assert [s.predicate_type for s in statements].count(APPROVAL) == 1


@pytest.mark.parametrize(
    ("red", "words"), [({}, "is queued"), ({"policy": "failed"}, "policy failed: policy looked")]
)
def test_nothing_is_approved_before_its_check_is_green(
    place: Reviewed, red: dict[str, str], words: str
) -> None:
    place.branch(X, VALUES, "tiny:\n  speed: 3\n")
    if red:
        place.red = red
        place.run_checks()
    with pytest.raises(Refused, match=words) as refused:
        approve(place.desk(), X, "")
    assert f"slipway check --follow {X}" in refused.value.hint


def test_a_green_check_under_another_name_is_not_this_branchs(place: Reviewed) -> None:
    """A strategy branch that is too wide is no better for being pushed as something else too."""
    head = place.branch(X, VALUES, "tiny:\n  speed: 3\n")
    place.red = {"policy": "failed"}
    place.run_checks()
    git(place.bare, "update-ref", f"refs/heads/{Y}", head)
    place.jobs.ask("check", Y, head, actor=ADA, reason="pushed")
    place.red = {}
    place.run_checks()
    assert approve(place.desk(), Y, "")[1].predicate["branch"] == Y
    with pytest.raises(Refused, match="policy failed"):
        approve(place.desk(), X, "")


@pytest.mark.parametrize("act", [approve, merge])
def test_an_unknown_branch_is_named_with_one_that_is_near(place: Reviewed, act: object) -> None:
    place.branch(X, VALUES, "tiny:\n  speed: 3\n")
    with pytest.raises(BadInput, match="no branch 'feature/sped'") as refused:
        act(place.desk(), "feature/sped", "")  # type: ignore[operator]
    assert f"did you mean {X}?" in refused.value.hint


BAD_NAMES = (
    "",
    "../x",
    "../../HEAD",
    "main~1",
    "-x",
    "feature/",
    "a b",
    "f" * 300,
    "\u202efeature/x",
)


def test_what_is_no_name_of_a_branch_is_bad_input(place: Reviewed) -> None:
    desk = place.desk()
    for name in BAD_NAMES:
        with pytest.raises(BadInput, match="branch name"):
            approve(desk, name, "")
        with pytest.raises(BadInput, match="branch name"):
            merge(desk, name, "")


def test_somebody_without_a_key_cannot_approve(place: Reviewed) -> None:
    place.branch(X, VALUES, "tiny:\n  speed: 3\n")
    place.run_checks()
    with pytest.raises(Refused, match="has no key here to speak as person"):
        approve(place.desk("Mallory"), X, "")


# --- merging ----------------------------------------------------------------------------------------


def test_a_checked_and_approved_branch_comes_to_develop_with_its_story(place: Reviewed) -> None:
    base, head = place.at("develop"), ready(place)
    found = merge(place.desk(), X, "the desk asked for it")
    assert found.status == "merged"
    assert place.at("develop") == found.commit
    assert git(place.bare, "log", "-1", "--format=%P", "develop").split() == [base, head]
    message = git(place.bare, "log", "-1", "--format=%B", "develop")
    assert message.startswith(f"Merge {X} into develop\n\nthe desk asked for it\n\n")
    assert f"Slipway-Merge: {X}\nSlipway-Commit: {head}\nSlipway-Actor: {ADA}" in message
    assert git(place.bare, "for-each-ref", "refs/slipway/merge") == ""
    desk = place.desk()
    proven = desk.evidence.proven(source_digest(desk.origin.trees(found.commit)))
    said = proven.newest(MERGE, merge_commit=found.commit)
    assert said is not None
    assert (said.role, said.predicate["commit"]) == ("person", head)
    assert [e.result for e in desk.audit.entries() if e.action == "merge"] == ["done"]
    waiting = place.jobs.waiting()
    assert [(j.kind, j.branch, j.commit, j.actor) for j in waiting] == [
        ("deliver", "develop", found.commit, ADA)
    ]


def test_a_second_merge_of_the_same_branch_has_nothing_to_do(place: Reviewed) -> None:
    ready(place)
    first = merge(place.desk(), X, "")
    again = merge(place.desk(), X, "")
    assert (again.status, again.commit) == ("nothing", first.commit)
    assert place.at("develop") == first.commit
    assert len(place.jobs.waiting()) == 1


def test_what_a_killed_merge_owed_is_done_by_the_next_one(place: Reviewed) -> None:
    """Killed right after develop moved: no statement, no audit, no delivery."""
    ready(place)
    desk = place.desk()
    candidate = merge(desk, X, "", only_looking=True).commit
    desk.origin.move([Move("refs/heads/develop", candidate, place.at("develop"))])
    assert find_work(place.jobs, open_branches(place.state), ENGINE)[0].kind == "deliver"
    assert merge(desk, X, "").status == "nothing"
    proven = desk.evidence.proven(source_digest(desk.origin.trees(candidate)))
    assert proven.newest(MERGE, merge_commit=candidate) is not None
    assert [job.kind for job in place.jobs.waiting()] == ["deliver"]


def test_a_dry_run_changes_nothing(place: Reviewed) -> None:
    ready(place)
    before = git(place.bare, "for-each-ref")
    assert merge(place.desk(), X, "", only_looking=True).status == "planned"
    assert git(place.bare, "for-each-ref") == before
    assert place.jobs.waiting() == []


def test_without_an_approval_of_this_very_commit_nothing_is_merged(place: Reviewed) -> None:
    place.branch(X, VALUES, "tiny:\n  speed: 3\n")
    place.run_checks()
    with pytest.raises(Refused, match="needs 1 approval") as refused:
        merge(place.desk(), X, "")
    assert f"slipway approve {X}" in refused.value.hint
    approve(place.desk(), X, "")
    place.app.write("docs/x.md", "later\n")
    place.app.commit("Go on")
    place.bring(X)
    place.run_checks()
    with pytest.raises(Refused, match="approved the older"):
        merge(place.desk(), X, "")


def test_a_red_or_missing_check_refuses_a_merge_whoever_approved(place: Reviewed) -> None:
    ready(place)
    place.red = {"strategy": "failed"}
    place.jobs.ask("check", X, place.at(X), actor=ADA, again=True)
    place.run_checks()
    with pytest.raises(Refused, match="strategy failed"):
        merge(place.desk(), X, "")
    assert place.at("develop") == place.at("main")


def test_somebody_without_a_key_cannot_merge_and_develop_stays(place: Reviewed) -> None:
    ready(place)
    before = place.at("develop")
    with pytest.raises(Refused, match="Eve has no key"):
        merge(place.desk("Eve"), X, "")
    assert place.at("develop") == before


def test_changed_evidence_refuses_a_merge(place: Reviewed) -> None:
    ready(place)
    envelope = sorted((place.state / "evidence").rglob("*.json"))[0]
    envelope.write_bytes(envelope.read_bytes().replace(b"e", b"f", 1))
    with pytest.raises(Refused, match="not whole"):
        merge(place.desk(), X, "")


@pytest.mark.parametrize("branch", ["hotfix/x", "release/v1.0.0"])
def test_what_goes_to_main_goes_there_with_its_release(place: Reviewed, branch: str) -> None:
    place.branch(branch, VALUES, "tiny:\n  speed: 3\n")
    with pytest.raises(Refused, match="goes to main") as refused:
        merge(place.desk(), branch, "")
    assert "slipway promote production RELEASE" in refused.value.hint


@pytest.mark.parametrize("branch", ["main", "develop"])
def test_a_branch_that_goes_nowhere_is_bad_input(place: Reviewed, branch: str) -> None:
    with pytest.raises(BadInput, match="merged nowhere"):
        merge(place.desk(), branch, "")


def test_a_conflict_names_the_files_and_what_to_type(place: Reviewed) -> None:
    place.branch(X, VALUES, "tiny:\n  speed: 3\n")
    place.branch(Y, VALUES, "tiny:\n  speed: 4\n")
    place.run_checks()
    for name in (X, Y):
        approve(place.desk(), name, "")
    merge(place.desk(), X, "")
    after = place.at("develop")
    with pytest.raises(Refused, match=f"conflict in {VALUES}") as refused:
        merge(place.desk(), Y, "")
    assert "git fetch slipway && git merge slipway/develop" in refused.value.hint
    assert place.at("develop") == after


# --- a develop that moved on -----------------------------------------------------------------------


def two(place: Reviewed) -> tuple[str, str]:
    """Two branches from one develop, both ready; the second touches another file."""
    return ready(place), ready(place, Y, "app/tiny/extra.py", "value = 1\n")


def test_what_develop_would_become_is_checked_before_it_becomes_it(place: Reviewed) -> None:
    _, head = two(place)
    first = merge(place.desk(), X, "").commit
    asked = merge(place.desk(), Y, "")
    assert asked.status == "checking"
    assert place.at("develop") == first
    assert merge(place.desk(), Y, "").job == asked.job
    place.jobs.end(place.jobs.take().id, "passed", "delivered")  # type: ignore[union-attr]
    job, outcome = place.run_job("merge")
    assert (job.commit, outcome.status) == (asked.commit, "passed")
    assert place.at("develop") == asked.commit
    desk = place.desk()
    proven = desk.evidence.proven(source_digest(desk.origin.trees(asked.commit)))
    kinds = [s.predicate_type for s in proven.statements]
    assert (kinds.count(CHECK), kinds.count(APPROVAL), kinds.count(MERGE)) == (6, 1, 1)
    carried = proven.newest(APPROVAL, branch=Y)
    assert carried is not None
    assert carried.predicate["approved_by"] == [ADA]
    assert head[:12] in carried.predicate["reason"]
    assert merge(desk, Y, "").status == "nothing"


def test_a_merged_tree_that_is_red_is_not_merged(place: Reviewed) -> None:
    two(place)
    first = merge(place.desk(), X, "").commit
    merge(place.desk(), Y, "")
    place.jobs.end(place.jobs.take().id, "passed", "delivered")  # type: ignore[union-attr]
    place.red = {"quality": "failed"}
    assert place.run_job("merge")[1].status == "failed"
    assert place.at("develop") == first
    with pytest.raises(Refused, match=r"merged with develop .* is red: quality failed") as refused:
        merge(place.desk(), Y, "")
    assert "git merge slipway/develop" in refused.value.hint


def test_develop_moves_again_while_the_candidate_is_checked(place: Reviewed) -> None:
    two(place)
    third = ready(place, "feature/third", "app/tiny/third.py", "value = 3\n")
    merge(place.desk(), X, "")
    asked = merge(place.desk(), Y, "")
    place.jobs.end(place.jobs.take().id, "passed", "delivered")  # type: ignore[union-attr]
    git(place.bare, "update-ref", "refs/heads/develop", third)
    job, outcome = place.run_job("merge")
    assert (outcome.status, "is checked instead" in outcome.message) == ("superseded", True)
    assert place.at("develop") == third
    next_job = place.jobs.newest(Y, kind="merge")
    assert next_job is not None
    assert next_job.id != job.id
    assert next_job.commit != asked.commit
    assert place.run_job("merge")[1].status == "passed"
    assert git(place.bare, "log", "-1", "--format=%P", "develop").split() == [third, place.at(Y)]


def test_documents_alone_do_not_need_another_check(place: Reviewed) -> None:
    ready(place, X, "docs/a.md", "a\n")
    ready(place, Y, "docs/b.md", "b\n")
    assert merge(place.desk(), X, "").status == "merged"
    assert merge(place.desk(), Y, "").status == "merged"
    subjects = place.subjects("develop")
    assert {f"Merge {X} into develop", f"Merge {Y} into develop"} < set(subjects)


@pytest.mark.parametrize("path", ["policies/x.yaml", "pipelines/x.py", "requirements.lock"])
def test_a_develop_that_moved_outside_the_source_is_checked_with_the_branch(
    place: Reviewed, path: str
) -> None:
    """Engine and rules are no part of a source, and a branch may still break with them."""
    ready(place, X, path, "a = 1\n")
    ready(place, Y, "docs/b.md", "b\n")
    first = merge(place.desk(), X, "").commit
    assert merge(place.desk(), Y, "").status == "checking"
    place.jobs.end(place.jobs.take().id, "passed", "delivered")  # type: ignore[union-attr]
    place.red = {"quality": "failed"}
    assert place.run_job("merge")[1].status == "failed"
    assert place.at("develop") == first


def test_of_two_merges_at_once_both_come_in_and_none_is_lost(
    place: Reviewed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second moves develop between the first one's look and its own move."""
    first, second = (ready(place, n, f"docs/{n[-3:]}.md", "x\n") for n in (X, Y))
    slow, quick = place.desk(), place.desk(BEN)
    origin = type(slow.origin)
    move = origin.move
    raced: list[Merged] = []

    def late(self: object, moves: list[Move]) -> None:
        if self is slow.origin and not raced and moves[0].ref == "refs/heads/develop":
            raced.append(merge(quick, Y, ""))
        move(self, moves)  # type: ignore[arg-type]

    monkeypatch.setattr(origin, "move", late)
    assert merge(slow, X, "").status == "merged"
    assert raced[0].status == "merged"
    contained = git(place.bare, "rev-list", "develop").split()
    assert {first, second} <= set(contained)
    with pytest.raises(InProgress):
        slow.origin.move([Move("refs/heads/develop", first, place.at("main"))])


# --- what nobody wrote down ------------------------------------------------------------------------


def test_a_branch_whose_job_was_never_written_is_found(place: Reviewed) -> None:
    head = place.branch(X, VALUES, "tiny:\n  speed: 3\n")
    (place.state / "jobs.sqlite").unlink()
    for left in place.state.glob("jobs.sqlite-*"):
        left.unlink()
    origin = open_branches(place.state)
    made = find_work(place.jobs, origin, ENGINE)
    assert [(j.kind, j.branch, j.commit) for j in made] == [("check", X, head)]
    assert find_work(place.jobs, origin, ENGINE) == []


def test_a_check_that_was_broken_is_done_again_by_another_engine_alone(place: Reviewed) -> None:
    place.branch(X, VALUES, "tiny:\n  speed: 3\n")
    origin, first = open_branches(place.state), place.jobs.take(ENGINE)
    assert first is not None
    place.jobs.end(first.id, "broken", "a tool is missing")
    assert find_work(place.jobs, origin, ENGINE) == []
    again = find_work(place.jobs, origin, "e-2")
    assert [(job.branch, job.commit) for job in again] == [(X, first.commit)]
    assert find_work(place.jobs, origin, "e-2") == []


def test_a_develop_that_up_moved_is_not_delivered(place: Reviewed) -> None:
    git(place.bare, "fetch", "--quiet", str(place.app.folder), place.app.commit("Second"))
    git(place.bare, "update-ref", "refs/heads/develop", place.app.head)
    assert find_work(place.jobs, open_branches(place.state), ENGINE) == []
