"""The worker: a thread of the dev controller that has jobs done, one at a time, beside its looks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pipelines.flows.working import Bench, Branches, Running, find_work
from pipelines.records.jobs import Job, Jobs

LOOK_SECONDS = 0.5
SWEEP_SECONDS = 10.0


class Worker:
    """`engine` names the installed one. `acting` says whether this controller holds its environment:
    only then jobs are begun, while one that runs goes on."""

    def __init__(
        self,
        jobs: Jobs,
        origin: Branches,
        start: Callable[[Job], Running],
        *,
        engine: str,
        acting: Callable[[], bool],
        log: Callable[[str], None],
    ) -> None:
        self._jobs, self._origin, self._engine = jobs, origin, engine
        self._acting, self._log = acting, log
        self._bench = Bench(jobs, engine, start, time.monotonic, log)
        self._thread: threading.Thread | None = None
        self._said = ""

    def begin(self, stopping: threading.Event) -> None:
        self._thread = threading.Thread(
            target=self._work, args=(stopping,), daemon=True, name="jobs"
        )
        self._thread.start()

    def end(self, seconds: float) -> None:
        """Wait until the job that runs was given back."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _work(self, stopping: threading.Event) -> None:
        swept = -SWEEP_SECONDS
        while not stopping.wait(LOOK_SECONDS):
            try:
                if self._acting() and time.monotonic() - swept > SWEEP_SECONDS:
                    swept = time.monotonic()
                    find_work(self._jobs, self._origin, self._engine)
                if self._acting() or self._bench.busy:
                    self._bench.look()
                self._said = ""
            except Exception as error:
                # As in the controller's own loop: one defect must not end the work for ever.
                self._say(f"jobs: {type(error).__name__}: {error}")
        self._bench.stop()

    def _say(self, words: str) -> None:
        if words != self._said:
            self._log(words)
            self._said = words
