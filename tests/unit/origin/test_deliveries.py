"""A delivery waits for others, gives way to a later one, and says what went wrong, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.adapters.sqlite import open_jobs, open_records
from pipelines.flows import jobs as flow
from pipelines.flows.jobs import Outcome, Tools, work
from pipelines.model.errors import Refused, SlipwayError, Unavailable, Undone
from pipelines.records.jobs import Job, Jobs
from tests.support.stepped_machine import SteppedMachine

FIRST, SECOND = "1" * 40, "2" * 40
RELEASE = SimpleNamespace(id="r-1")


class Dev:
    """The environment dev as far as a delivery sees it: who else is at work there, what a promotion
    does. Time passes when somebody sleeps."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.machine = SteppedMachine()
        self.jobs: Jobs = open_jobs(folder, self.machine)
        self.busy_rounds = 0
        self.slept = 0.0
        self.while_waiting: Callable[[], object] = lambda: None
        self.promoted: list[str] = []
        self.error: SlipwayError | None = None
        self.active = False
        self.audit = open_records(folder, "dev", self.machine).audit
        monkeypatch.setattr(flow, "propose", self._propose)
        monkeypatch.setattr(flow, "promote", self._promote)
        monkeypatch.setattr(flow, "prune", lambda contexts, built: [])

    def deliver(self, commit: str = FIRST) -> tuple[Job, Outcome]:
        self.jobs.ask("deliver", "develop", commit, actor="ada", reason="merged feature/x")
        job = self.jobs.take()
        assert job is not None
        outcome = work(self._tools(), job)
        self.jobs.end(job.id, outcome.status, outcome.message)
        return job, outcome

    def _tools(self) -> Tools:
        journal = SimpleNamespace(running=self._running)
        context: Any = SimpleNamespace(
            environment="dev",
            records=SimpleNamespace(journal=journal, audit=self.audit),
            monotonic=lambda: self.slept,
            sleep=self._sleep,
        )
        unused: Any = None
        return Tools(
            jobs=self.jobs, evidence=unused, check=unused, build=lambda commit: RELEASE,  # type: ignore[arg-type,return-value]
            contexts=lambda actor: [context], merge=unused,
        )  # fmt: skip

    def _running(self) -> object:
        if self.busy_rounds == 0:
            return None
        self.busy_rounds -= 1
        return SimpleNamespace(kind="promotion", release="r-0", actor="ben")

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.while_waiting()

    def _propose(self, context: object, release: str, reason: str) -> object:
        if isinstance(self.error, Refused):
            raise self.error
        return SimpleNamespace(plan=SimpleNamespace(empty=self.active), release=release)

    def _promote(self, context: object, proposal: Any) -> object:
        self.promoted.append(proposal.release)
        if self.error is not None:
            raise self.error
        return SimpleNamespace(id="promotion-1")


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dev:
    return Dev(tmp_path, monkeypatch)


def test_what_came_to_develop_is_promoted_and_said(dev: Dev) -> None:
    _, outcome = dev.deliver()
    assert outcome.status == "passed"
    assert "r-1 is active in dev (promotion-1)" in outcome.message
    assert dev.promoted == ["r-1"]
    assert dev.audit.entries() == []


def test_a_promotion_of_somebody_else_is_waited_for(dev: Dev) -> None:
    dev.busy_rounds = 5
    assert dev.deliver()[1].status == "passed"
    assert dev.slept == 5.0


def test_a_wait_without_end_ends(dev: Dev, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "WAIT_SECONDS", 5.0)
    dev.busy_rounds = 10**6
    job, outcome = dev.deliver()
    assert (outcome.status, dev.promoted) == ("failed", [])
    assert "waited 5 s in vain" in outcome.message
    assert "promotion of r-0 by ben" in outcome.message
    assert job.kind == "deliver"


def test_what_comes_later_takes_the_place_of_one_that_waits(dev: Dev) -> None:
    dev.busy_rounds = 10
    dev.while_waiting = lambda: dev.jobs.ask("deliver", "develop", SECOND, actor="ada")
    _, outcome = dev.deliver()
    assert (outcome.status, dev.promoted) == ("superseded", [])
    assert [job.commit for job in dev.jobs.waiting()] == [SECOND]


def test_what_is_active_already_is_not_promoted_again(dev: Dev) -> None:
    dev.active = True
    assert dev.deliver()[1].status == "passed"
    assert dev.promoted == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused("dev is frozen", hint="thaw it"), "failed"),
        (Undone("verify: not ready"), "failed"),
        (Unavailable("the database does not answer"), "broken"),
    ],
)
def test_a_delivery_that_fails_says_why_in_job_and_audit(
    dev: Dev, error: SlipwayError, status: str
) -> None:
    dev.error = error
    job, outcome = dev.deliver()
    assert (outcome.status, error.message in outcome.message) == (status, True)
    (entry,) = dev.audit.entries()
    assert (entry.action, entry.actor, entry.result) == ("deliver", "ada", status)
    assert entry.details["commit"] == job.commit
    assert dev.jobs.ask("deliver", "develop", FIRST, actor="slipway").id == job.id
    assert dev.jobs.take() is None


def test_a_defect_ends_the_job_and_is_named(dev: Dev, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(contexts: object, built: str) -> list[str]:
        raise KeyError("x")

    monkeypatch.setattr(flow, "prune", explode)
    assert dev.deliver()[1] == Outcome("broken", "a defect: KeyError: 'x'")
