"""A release earns an environment, on an installation whose policy is the shipped one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pipelines import wiring
from pipelines.adapters.git import GitOrigin
from pipelines.model.branch import BranchState
from pipelines.model.evidence import CHECK, CHECK_RUNNER
from pipelines.model.release import Release
from pipelines.model.slots import SlotContent
from pipelines.model.source import source_digest
from tests.harness.fixtures import another
from tests.harness.installation import Installation, git
from tests.planted.edits import harmless

GATES = ("policy", "quality", "strategy", "security", "migrations", "render")
CONTROLLER_SECONDS = 30.0
CHECK_SECONDS = 240.0


@pytest.fixture(scope="module")
def strict(installation: Installation) -> Iterator[Installation]:
    with another(installation, strict=True) as made:
        yield made


@pytest.fixture(scope="module")
def release(strict: Installation) -> str:
    """Built, active in dev, and nothing else."""
    made = strict.release(harmless("evidence"), "Mark")
    assert strict.promote("dev", made).code == 0
    return made


def manifest(strict: Installation, release: str) -> Release:
    return wiring.open_store(strict.state).get(release)


def say_checked(strict: Installation, release: str) -> None:
    """What the check runner says when everything is green."""
    evidence = wiring.open_evidence(strict.state)
    source = source_digest(manifest(strict, release).parts)
    for stage in GATES:
        predicate = {"stage": stage, "status": "passed", "summary": "", "samples": 1}
        evidence.say(CHECK, source, predicate, role=CHECK_RUNNER, signer=CHECK_RUNNER)


def soaks(strict: Installation, release: str, environment: str) -> list[dict[str, object]]:
    shown = strict.ok("evidence", "show", release)
    return [
        one["predicate"]
        for one in shown["statements"]
        if one["predicate_type"].endswith("soak:v1") and one["signer"] == environment
    ]


def commit_by_hand(strict: Installation, environment: str, release: str, kind: str) -> str:
    """A commit on env/<env> that looks like Slipway's, made past the command."""
    origin = GitOrigin(strict.origin)
    head = origin.read(environment, None).head
    assert head is not None
    made, state = manifest(strict, release), head.state
    to = state.active.other
    slots = {**state.slots, to: SlotContent(made.id, made.version, made.source_commit)}
    return origin.commit(
        environment,
        BranchState(
            environment=environment,
            active=to,
            slots=slots,
            holds=state.holds,
            kind=kind,
            reason="trust me",
            actor="somebody",
            operation=f"{kind}-by-hand",
            at=state.at,
            audit_head=state.audit_head,
        ),
        {},
        expect=head.commit,
        subject="Promote it",
        trailers={"Slipway-Operation": f"{kind}-by-hand", "Slipway-Actor": "somebody"},
    )


def test_what_soaked_in_dev_is_said_once_by_dev(strict: Installation, release: str) -> None:
    [said] = soaks(strict, release, "dev")
    assert said["release"] == release
    assert said["verify"]
    verified = strict.run("evidence", "verify", release)
    assert (verified.code, verified.data["problems"]) == (0, [])
    assert verified.seconds < 3.0  # the figure is measured by bench; others work here meanwhile
    assert strict.run("audit", "verify", "dev").code == 0


def test_the_command_refuses_what_was_not_earned(strict: Installation, release: str) -> None:
    before = git(strict.origin, "rev-parse", "env/staging")
    answer = strict.run("promote", "staging", release, "--reason", "hurry")
    assert answer.code == 1
    for gate in GATES[:4]:
        assert f"no check of stage {gate}" in answer.text
    assert "its commit is on no branch" in answer.text
    assert git(strict.origin, "rev-parse", "env/staging") == before


@pytest.mark.parametrize("kind", ["promotion", "rollback"])
def test_the_controller_refuses_a_commit_past_the_command(
    strict: Installation, release: str, kind: str
) -> None:
    row = strict.agreement("staging").row()["release"]
    made = commit_by_hand(strict, "staging", release, kind)
    deadline = time.monotonic() + CONTROLLER_SECONDS
    while git(strict.origin, "rev-parse", "env/staging") == made:
        assert time.monotonic() < deadline, "the commit was not reverted"
        time.sleep(0.2)
    strict.agreement("staging").wait(CONTROLLER_SECONDS, release=row)
    ended = strict.ok("history", "staging", "--limit", "3")["operations"][0]
    assert ended["result"] == "refused"
    assert "no check of stage security" in ended["message"]
    assert strict.agreement("staging").branch()["holds"] == []


def test_what_was_checked_and_lies_on_develop_goes_to_staging(
    strict: Installation, release: str
) -> None:
    say_checked(strict, release)
    assert strict.run("evidence", "verify", release, "--gate", "security").code == 0
    only = strict.run("promote", "staging", release, "--reason", "it is good")
    assert only.code == 1
    assert "its commit is on no branch" in only.text
    commit = manifest(strict, release).source_commit
    git(strict.origin, "fetch", "--quiet", str(strict.checkout), "HEAD")
    git(strict.origin, "update-ref", "refs/heads/develop", commit)
    answer = strict.run("promote", "staging", release, "--reason", "it is good", timeout=200)
    assert answer.code == 0, str(answer)
    [said] = soaks(strict, release, "staging")
    assert said["soak_seconds"] >= 30  # type: ignore[operator]
    assert said["shadow"]["ok"]  # type: ignore[index]
    assert said["shadow"]["samples"] > 0  # type: ignore[index]


def test_a_gate_is_repeated_and_compared_byte_by_byte(strict: Installation) -> None:
    """What the runner said comes out again; what somebody with its key made up does not."""
    git(strict.checkout, "switch", "--quiet", "--create", "feature/platform-evidence")
    commit = strict.commit(harmless("evidence, repeated"), "Mark once more")
    git(strict.checkout, "push", "--quiet", "slipway", "HEAD")
    git(strict.checkout, "switch", "--quiet", "main")
    deadline = time.monotonic() + CHECK_SECONDS
    while strict.run("evidence", "verify", commit, "--gate", "render").code:
        assert time.monotonic() < deadline, "nobody checked what was pushed"
        time.sleep(1.0)
    gates = ("--gate", "policy", "--gate", "render")
    again = strict.run("evidence", "verify", commit, "--rerun", *gates, timeout=120)
    assert [(r["stage"], r["same"]) for r in again.data["repeated"]] == [
        ("policy", True),
        ("render", True),
    ], str(again)
    shown = strict.ok("evidence", "show", commit)
    [true] = [s["predicate"] for s in shown["statements"] if s["predicate"]["stage"] == "render"]
    wiring.open_evidence(strict.state).say(
        CHECK,
        shown["source"],
        {**true, "document": {"made": "up"}},
        role=CHECK_RUNNER,
        signer=CHECK_RUNNER,
    )
    made_up = strict.run("evidence", "verify", commit, "--rerun", "--gate", "render")
    assert made_up.code == 1
    assert "document differs in" in made_up.text
    assert strict.run("evidence", "verify", commit).code == 0


def test_evidence_that_cannot_be_written_takes_no_good_release_back(
    strict: Installation, release: str
) -> None:
    """It is written later, by the controller, once."""
    made = strict.release(harmless("evidence, later"), "Another mark")
    keys = strict.state / "keys"
    keys.chmod(0o755)
    try:
        answer = strict.promote("dev", made)
        assert answer.code == 0, str(answer)
        assert strict.run("evidence", "verify", made).code == 1
        assert strict.run("rollback", "dev", "--reason", "rollbacks need no keys").code == 0
        assert strict.run("unhold", "dev", made, "--reason", "a test").code == 0
        assert strict.promote("dev", made).code == 0
    finally:
        keys.chmod(0o700)
    deadline = time.monotonic() + CONTROLLER_SECONDS
    while len(soaks(strict, made, "dev")) < 2:
        assert time.monotonic() < deadline, "nobody wrote the evidence that was owed"
        time.sleep(0.5)
    time.sleep(6.0)  # one more thorough look
    operations = [said["operation"] for said in soaks(strict, made, "dev")]
    assert len(operations) == len(set(operations)) == 2
    assert strict.run("evidence", "verify", made).code == 0
