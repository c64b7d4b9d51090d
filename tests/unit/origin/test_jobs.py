"""Every job is worked on to an end, one at a time, and none is lost with its worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.adapters.sqlite import open_jobs
from pipelines.records.jobs import Job, Jobs
from tests.support.stepped_machine import SteppedMachine

BRANCH = "feature/quant-x"
FIRST, SECOND = "1" * 40, "2" * 40


@pytest.fixture
def machine() -> SteppedMachine:
    return SteppedMachine()


@pytest.fixture
def jobs(tmp_path: Path, machine: SteppedMachine) -> Jobs:
    return open_jobs(tmp_path, machine)


def ask(jobs: Jobs, commit: str = FIRST, branch: str = BRANCH, kind: str = "check") -> Job:
    return jobs.ask(kind, branch, commit, actor="ada")


def taken(jobs: Jobs) -> Job:
    job = jobs.take()
    assert job is not None
    return job


def now(jobs: Jobs, job: Job) -> Job:
    found = jobs.get(job.id)
    assert found is not None
    return found


def test_asking_twice_for_one_commit_is_one_job_also_when_it_has_ended(jobs: Jobs) -> None:
    first = ask(jobs)
    assert ask(jobs).id == first.id
    jobs.end(taken(jobs).id, "failed", "policy is red")
    assert ask(jobs).id == first.id


def test_an_ended_job_is_done_again_when_somebody_asks_for_it_again(jobs: Jobs) -> None:
    first = ask(jobs)
    jobs.end(taken(jobs).id, "broken", "a tool was missing")
    again = jobs.ask("check", BRANCH, FIRST, actor="ada", again=True)
    assert (again.id, again.status) == (first.id + 1, "queued")
    assert jobs.ask("check", BRANCH, FIRST, actor="ada", again=True).id == again.id


def test_a_later_push_supersedes_what_waits_but_not_what_runs_nor_other_branches(
    jobs: Jobs,
) -> None:
    running = ask(jobs, "0" * 40)
    taken(jobs)
    waiting, other = ask(jobs), ask(jobs, branch="feature/quant-y")
    newer = ask(jobs, SECOND)
    assert now(jobs, running).status == "running"
    assert now(jobs, waiting).status == "superseded"
    assert SECOND[:12] in now(jobs, waiting).message
    assert [job.id for job in jobs.waiting()] == [other.id, newer.id]


def test_a_push_back_to_a_superseded_commit_is_checked(jobs: Jobs) -> None:
    first = ask(jobs)
    ask(jobs, SECOND)
    assert ask(jobs).id != first.id


def test_one_runs_at_a_time_and_deliveries_come_before_merges_and_checks(jobs: Jobs) -> None:
    check = ask(jobs)
    merge = ask(jobs, kind="merge")
    deliver = ask(jobs, branch="develop", kind="deliver")
    order = []
    for _ in range(3):
        job = taken(jobs)
        assert jobs.take() is None
        order.append(job.id)
        jobs.end(job.id, "passed", "")
    assert order == [deliver.id, merge.id, check.id]
    assert jobs.take() is None


def test_a_job_whose_process_died_waits_again_and_is_taken_by_the_next(
    jobs: Jobs, machine: SteppedMachine
) -> None:
    job = ask(jobs)
    taken(jobs)
    jobs.adopt(job.id, 200)
    machine.pid = 300
    machine.running[300] = "99"
    assert jobs.take() is None
    del machine.running[200]
    again = taken(jobs)
    assert (again.id, again.pid, again.attempts) == (job.id, 300, 2)


def test_a_reused_process_id_is_not_mistaken_for_the_worker(
    jobs: Jobs, machine: SteppedMachine
) -> None:
    job = ask(jobs)
    taken(jobs)
    machine.running[100] = "78"
    jobs.reap()
    assert now(jobs, job).status == "queued"


def test_after_a_reboot_what_ran_waits_again(jobs: Jobs, machine: SteppedMachine) -> None:
    job = ask(jobs)
    taken(jobs)
    machine.boot = "second"
    jobs.reap()
    assert now(jobs, job).status == "queued"


def test_what_kills_its_process_three_times_is_broken_and_blocks_nobody(
    jobs: Jobs, machine: SteppedMachine
) -> None:
    job, other = ask(jobs), ask(jobs, branch="feature/quant-y")
    for _ in range(3):
        assert taken(jobs).id == job.id
        machine.running[100] += "1"
    assert taken(jobs).id == other.id
    assert (now(jobs, job).status, "died 3 times" in now(jobs, job).message) == ("broken", True)


def test_a_controller_that_stops_gives_its_job_back_without_a_mark_against_it(jobs: Jobs) -> None:
    job = ask(jobs)
    for _ in range(5):
        assert taken(jobs).id == job.id
        jobs.give_back(job.id)
    assert now(jobs, job).attempts == 0


def test_only_a_running_job_can_end_and_only_once(jobs: Jobs) -> None:
    job = ask(jobs)
    assert not jobs.end(job.id, "passed", "never ran")
    taken(jobs)
    assert jobs.end(job.id, "failed", "red", "/reports/x")
    assert not jobs.end(job.id, "passed", "too late")
    ended = now(jobs, job)
    assert (ended.status, ended.message, ended.report) == ("failed", "red", "/reports/x")


def test_two_openings_of_the_same_file_take_one_job_once(
    tmp_path: Path, machine: SteppedMachine
) -> None:
    one, two = open_jobs(tmp_path, machine), open_jobs(tmp_path, machine)
    job = ask(one)
    assert taken(two).id == job.id
    assert one.take() is None


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("ask"), st.integers(1, 3), st.integers(1, 3)),
            st.tuples(st.sampled_from(["take", "end", "die", "give"]), st.just(0), st.just(0)),
        ),
        max_size=30,
    )
)
def test_whatever_happens_the_newest_push_of_every_branch_is_worked_on_to_an_end(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    machine = SteppedMachine()
    jobs = open_jobs(tmp_path_factory.mktemp("jobs"), machine)
    pushed: dict[str, str] = {}
    for word, branch, commit in steps:
        running = jobs.running()
        if word == "ask":
            pushed[f"feature/b{branch}"] = str(commit) * 40
            ask(jobs, str(commit) * 40, f"feature/b{branch}")
        elif word == "take":
            jobs.take()
        elif word == "die":
            machine.running[100] += "1"
        elif running is not None:
            jobs.end(running.id, "passed", "") if word == "end" else jobs.give_back(running.id)
    while (job := jobs.take()) is not None or jobs.running() is not None:
        left = job or jobs.running()
        assert left is not None
        jobs.end(left.id, "passed", "")
    for branch, commit in pushed.items():
        found = jobs.newest(branch, commit=commit)
        assert found is not None
        assert found.status in ("passed", "broken")
    assert jobs.waiting() == []
