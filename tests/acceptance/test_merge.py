"""From a pushed branch to what runs in dev, on a whole installation: nobody types build or promote."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.controller.jobs import SWEEP_SECONDS
from tests.harness import advisories
from tests.harness.fixtures import another
from tests.harness.installation import Installation, git

BRANCH, COLD = "feature/quieter-values", "feature/cold-values"
DELIVERED_SECONDS = 250.0

pytestmark = pytest.mark.timeout(600)  # whole checks and releases, in a row


@pytest.fixture(scope="module")
def place(installation: Installation) -> Iterator[Installation]:
    """A second installation: what is merged here must not be in the way of other tests."""
    with another(installation) as made:
        advisories.install(made.state)
        yield made


def comment(words: str) -> Callable[[Path], None]:
    """An edit of the values that changes a release's source and nothing that it does."""

    def edit(checkout: Path) -> None:
        with (checkout / "environments" / "base" / "values.yaml").open("a") as file:
            file.write(f"# {words}\n")

    return edit


def push(place: Installation, branch: str, words: str) -> str:
    """A branch from develop's tip, pushed; its commit."""
    git(place.checkout, "fetch", "--quiet", "slipway")
    git(place.checkout, "switch", "--quiet", "-C", branch, "slipway/develop")
    commit = place.commit(comment(words), f"Say {words}")
    began = time.monotonic()
    git(place.checkout, "push", "--quiet", "slipway", "HEAD")
    assert time.monotonic() - began < 3.0, "a push does not wait for the check"
    return commit


def green(place: Installation, branch: str) -> Any:
    answer = place.run("check", "--follow", branch, timeout=300)
    assert answer.code == 0, str(answer)
    return answer.data


def delivery(place: Installation) -> Any:
    """How the newest delivery of develop ended."""
    answer = place.run("check", "--follow", "develop", timeout=DELIVERED_SECONDS)
    return answer.data


def test_a_merged_branch_runs_in_dev_and_everybody_involved_is_named(place: Installation) -> None:
    """The controller is killed in the middle of the check, which is done again, once."""
    before = place.agreement("dev").row()["release"]
    commit = push(place, BRANCH, "nothing")
    refused = place.run("merge", BRANCH)
    assert refused.code == 1, str(refused)
    assert f"slipway check --follow {BRANCH}" in refused.text
    until(lambda: running(place, BRANCH))
    (controller,) = [p for p in place.processes("dev") if p.role == "controller"]
    controller.kill()
    assert green(place, BRANCH)["attempts"] == 2
    unread = place.run("merge", BRANCH)
    assert unread.code == 1
    assert f"slipway approve {BRANCH}" in unread.text
    approved = place.ok("approve", BRANCH, "--reason", "read it")
    assert (approved["commit"], approved["self_approval"]) == (commit, True)
    assert place.ok("merge", BRANCH, "--dry-run")["status"] == "planned"
    merged = place.ok("merge", BRANCH, "--reason", "a test")
    assert merged["status"] == "merged"
    assert git(place.origin, "rev-parse", "develop") == merged["commit"]
    done = delivery(place)
    assert (done["kind"], done["commit"], done["status"]) == ("deliver", merged["commit"], "passed")
    release = place.agreement("dev").row()["release"]
    assert release != before
    built = {r["release"]: r for r in place.ok("releases")["releases"]}
    assert merged["commit"].startswith(built[release]["commit"])
    newest = place.ok("history", "dev")["history"][0]
    assert (newest["release"], newest["reason"]) == (release, f"merged {BRANCH}")
    assert place.ok("merge", BRANCH)["status"] == "nothing"


def test_a_refused_delivery_is_shown_and_when_asked_again_waits_for_a_promotion_by_hand(
    place: Installation,
) -> None:
    push(place, COLD, "that it is cold")
    green(place, COLD)
    place.ok("approve", COLD)
    place.ok("freeze", "dev", "--reason", "a test")
    try:
        place.ok("merge", COLD)
        assert delivery(place)["status"] == "failed"
        shown = place.run("status", as_json=False)
        assert "deliver of develop" in shown.out
        assert "frozen" in shown.out
        time.sleep(SWEEP_SECONDS + 2)
        jobs = [job for job in place.ok("status")["jobs"] if job["kind"] == "deliver"]
        assert [job["status"] for job in jobs] == ["failed"], "it is not tried without end"
    finally:
        place.ok("thaw", "dev", "--reason", "a test")
    unmerged = place.release(comment("what nobody has read"), "Try it out in dev")
    by_hand = place.start("promote", "dev", unmerged, "--reason", "by hand")
    try:
        until(lambda: place.ok("status", "dev")["environments"][0]["operation"])
        again = place.run("check", "--follow", "develop", "--again", timeout=DELIVERED_SECONDS)
        assert again.code == 0, str(again)
        assert by_hand.wait(60) == 0
    finally:
        by_hand.kill()
        by_hand.wait()
    reasons = [line["reason"] for line in place.ok("history", "dev")["history"][:2]]
    assert reasons == [f"merged {COLD}", "by hand"]


def running(place: Installation, branch: str) -> bool:
    jobs = place.ok("status")["jobs"]
    return any(job["branch"] == branch and job["status"] == "running" for job in jobs)


def until(what: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def test_a_branch_with_a_bad_name_never_reaches_the_origin(place: Installation) -> None:
    done = subprocess.run(
        ["git", "push", "slipway", "HEAD:refs/heads/Breakout"],
        cwd=place.checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "call it feature/breakout" in done.stderr
    assert git(place.origin, "for-each-ref", "refs/heads/Breakout") == ""
