"""The worker and its child as real processes: whoever is killed, the job is done, and once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.adapters.process import start_ticks
from tests.support.pushing import Place
from tests.support.tiny_application import git

WORKER = Path(__file__).parents[1] / "support" / "worker.py"
ROOT = Path(__file__).parents[2]
X = "feature/speed"


def until(what: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class Working(Place):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.controllers: list[subprocess.Popen[bytes]] = []

    def control(self, seconds: float) -> subprocess.Popen[bytes]:
        argv = [sys.executable, str(WORKER), str(self.state), str(seconds)]
        controller = subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": str(ROOT)})
        self.controllers.append(controller)
        return controller

    def bring(self, name: str, text: str = "x\n") -> str:
        self.app.write("docs/x.md", text)
        head = self.app.commit("Go on")
        git(self.bare, "fetch", "--quiet", str(self.app.folder), "HEAD")
        git(self.bare, "update-ref", f"refs/heads/{name}", head)
        return head

    def began(self) -> list[tuple[int, int, int]]:
        """Job, process and niceness of every child so far."""
        file = self.state / "began"
        if not file.exists():
            return []
        lines = [line.split() for line in file.read_text().splitlines()]
        return [(int(a), int(b), int(c)) for a, b, c in lines]

    def done(self) -> list[int]:
        file = self.state / "done"
        return [int(word) for word in file.read_text().split()] if file.exists() else []

    def end(self) -> None:
        for controller in self.controllers:
            controller.kill()
            controller.wait()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Working]:
    made = Working(tmp_path)
    yield made
    made.end()


def test_a_pushed_branch_is_worked_on_behind_everything_that_trades(place: Working) -> None:
    head = place.bring(X)
    place.control(0.0)
    until(place.done)
    job = place.jobs.newest(X)
    assert job is not None
    assert (job.commit, job.status, job.message) == (head, "passed", "done")
    assert [nice for _, _, nice in place.began()] == [min(19, os.nice(0) + 10)]


def test_a_killed_child_is_noticed_and_its_job_is_done_by_another_once(place: Working) -> None:
    place.bring(X)
    place.control(2.0)
    until(place.began)
    os.kill(place.began()[0][1], signal.SIGKILL)
    until(place.done)
    time.sleep(1.0)
    assert len(place.began()) == 2
    assert place.done() == [place.began()[0][0]]
    job = place.jobs.newest(X)
    assert job is not None
    assert (job.status, job.attempts) == ("passed", 2)


def test_what_a_killed_child_had_started_goes_too(place: Working) -> None:
    place.bring(X)
    place.control(600.0)
    until(lambda: (place.state / "started").exists() and (place.state / "started").read_text())
    left_over = int((place.state / "started").read_text())
    os.kill(place.began()[0][1], signal.SIGKILL)
    until(lambda: start_ticks(left_over) is None)


def test_a_killed_controller_takes_the_child_along_and_the_next_does_the_job_once(
    place: Working,
) -> None:
    place.bring(X)
    first = place.control(600.0)
    until(place.began)
    job, child, _ = place.began()[0]
    until(lambda: (found := place.jobs.get(job)) and found.pid == child)
    first.kill()
    first.wait()
    until(lambda: start_ticks(child) is None, 5.0)
    place.control(0.0)
    until(place.done)
    assert place.done() == [job]
    assert len(place.began()) == 2


def test_a_controller_that_stops_gives_the_job_back_within_its_five_seconds(
    place: Working,
) -> None:
    place.bring(X)
    controller = place.control(600.0)
    until(place.began)
    until(lambda: (found := place.jobs.running()) and found.pid == place.began()[0][1])
    began = time.monotonic()
    controller.terminate()
    controller.wait(10)
    assert time.monotonic() - began < 5.0
    job = place.jobs.get(place.began()[0][0])
    assert job is not None
    assert (job.status, job.attempts) == ("queued", 0)
    assert start_ticks(place.began()[0][1]) is None


def test_a_push_during_a_check_waits_and_is_checked_after_it(place: Working) -> None:
    first = place.bring(X)
    place.control(3.0)
    until(place.began)
    second = place.bring(X, "y\n")
    place.jobs.ask("check", X, second, actor="ada", reason="pushed")
    until(lambda: len(place.done()) == 2)
    statuses = {job.commit: job.status for job in place.jobs.all(10)}
    assert statuses == {first: "passed", second: "passed"}


def test_two_controllers_at_once_do_each_job_once(place: Working) -> None:
    branches = [f"feature/b{n}" for n in range(4)]
    for branch in branches:
        place.bring(branch, branch)
    place.control(0.1)
    place.control(0.1)
    until(lambda: len(place.done()) >= len(branches), 40.0)
    time.sleep(1.0)
    assert sorted(place.done()) == sorted({job for job, _, _ in place.began()})
    assert len(place.began()) == len(branches)
