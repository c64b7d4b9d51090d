"""Run as a script: a controller that has jobs done, with a stand-in for what a job does.

worker.py STATE SECONDS     each job notes its process, takes so long, and passes
worker.py job STATE JOB PARENT SECONDS
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from pipelines.adapters.job_process import JobProcess, become
from pipelines.adapters.sqlite import open_jobs
from pipelines.controller.jobs import Worker
from pipelines.records.jobs import Job
from pipelines.wiring_jobs import open_branches


def control(state: Path, seconds: str) -> None:
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())

    def start(job: Job) -> JobProcess:
        words = ("job", str(state), str(job.id), str(os.getpid()), seconds)
        return JobProcess([sys.executable, __file__, *words], os.environ)

    worker = Worker(
        open_jobs(state),
        open_branches(state),
        start,
        engine="e-test",
        acting=lambda: True,
        log=lambda _: None,
    )
    worker.begin(stopping)
    stopping.wait()
    worker.end(4.0)


def work(state: Path, job: int, parent: int, seconds: float) -> None:
    become(parent)
    with (state / "began").open("a") as file:
        file.write(f"{job} {os.getpid()} {os.nice(0)}\n")
    left_over = subprocess.Popen(
        ["sleep", "600"], start_new_session=True,
        env={**os.environ, "SLIPWAY_CHECK": _marker()},
    )  # fmt: skip
    (state / "started").write_text(str(left_over.pid))
    try:
        time.sleep(seconds)
        open_jobs(state).end(job, "passed", "done")
        with (state / "done").open("a") as file:
            file.write(f"{job}\n")
    finally:
        left_over.kill()
        left_over.wait()


def _marker() -> str:
    from pipelines.adapters.programs import own_marker

    return own_marker()


if __name__ == "__main__":
    if sys.argv[1] == "job":
        work(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
    else:
        control(Path(sys.argv[1]), sys.argv[2])
