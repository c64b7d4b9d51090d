"""One job at a time: begun, watched, ended; whoever hangs is ended too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.adapters.sqlite import open_jobs
from pipelines.flows.working import LIMIT_SECONDS, Bench
from pipelines.records.jobs import Job, Jobs
from tests.support.stepped_machine import SteppedMachine


@dataclass
class Process:
    """A process that a test ends."""

    pid: int = 200
    code: int | None = None
    stopped: bool = False

    def ended(self) -> int | None:
        return self.code

    def stop(self) -> None:
        self.stopped = True


class Shop:
    """A bench whose processes are those of a stepped machine."""

    def __init__(self, folder: Path) -> None:
        self.machine = SteppedMachine()
        self.jobs: Jobs = open_jobs(folder, self.machine)
        self.processes: list[Process] = []
        self.words: list[str] = []
        self.bench = Bench(
            self.jobs, "e-1", self.start, lambda: self.machine.seconds, self.words.append
        )

    def start(self, job: Job) -> Process:
        self.processes.append(Process())
        return self.processes[-1]

    def ask(self, branch: str = "feature/x") -> Job:
        return self.jobs.ask("check", branch, "1" * 40, actor="ada")

    def status(self, job: Job) -> str:
        found = self.jobs.get(job.id)
        assert found is not None
        return found.status


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_nothing_waits_so_nothing_is_begun(shop: Shop) -> None:
    shop.bench.look()
    assert shop.processes == []
    assert not shop.bench.busy


def test_the_child_is_the_worker_of_the_job_under_this_engine(shop: Shop) -> None:
    job = shop.ask()
    shop.bench.look()
    found = shop.jobs.get(job.id)
    assert found is not None
    assert (found.pid, found.engine, found.status) == (200, "e-1", "running")


def test_the_next_is_begun_when_the_first_has_ended_and_not_before(shop: Shop) -> None:
    first, second = shop.ask(), shop.ask("feature/y")
    for _ in range(3):
        shop.bench.look()
    assert len(shop.processes) == 1
    shop.jobs.end(first.id, "passed", "")
    shop.processes[0].code = 0
    shop.bench.look()
    assert (shop.status(second), len(shop.processes)) == ("running", 2)


def test_one_that_ends_without_a_word_is_begun_again(shop: Shop) -> None:
    job = shop.ask()
    shop.bench.look()
    del shop.machine.running[200]
    shop.processes[0].code = -9
    shop.machine.running[200] = "99"  # the next child
    shop.bench.look()
    found = shop.jobs.get(job.id)
    assert found is not None
    assert (found.status, found.attempts, len(shop.processes)) == ("running", 2, 2)


def test_one_that_takes_too_long_is_ended_and_broken(shop: Shop) -> None:
    job = shop.ask()
    shop.bench.look()
    shop.machine.pass_time(LIMIT_SECONDS - 1)
    shop.bench.look()
    assert not shop.processes[0].stopped
    shop.machine.pass_time(2)
    shop.bench.look()
    assert shop.processes[0].stopped
    assert shop.status(job) == "broken"
    assert not shop.bench.busy


def test_stopping_gives_the_job_back(shop: Shop) -> None:
    job = shop.ask()
    shop.bench.look()
    shop.bench.stop()
    assert shop.processes[0].stopped
    assert shop.status(job) == "queued"


def test_a_child_that_cannot_be_started_loses_no_job(shop: Shop) -> None:
    job = shop.ask()

    def fail(job: Job) -> Process:
        raise OSError("no memory")

    bench = Bench(shop.jobs, "e-1", fail, lambda: 0.0, shop.words.append)
    with pytest.raises(OSError, match="no memory"):
        bench.look()
    assert not bench.busy
    assert shop.status(job) == "queued"
