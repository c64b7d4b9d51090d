"""Slipway's syncer inside a cluster: one thread for git, one for each Application, until SIGTERM."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence

from pipelines.targets.kubernetes.application_sync import ApplicationSync
from pipelines.targets.kubernetes.branch_watch import BranchWatch

STILL_SECONDS = 300.0
"""A thread that did not come by for so long hangs. Listing everything may take a minute."""
END_SECONDS = 10.0


class InCluster:
    """`run` returns after SIGTERM or SIGINT: hooks that run go on, whoever comes next goes on too."""

    def __init__(
        self,
        branch: BranchWatch,
        applications: Sequence[ApplicationSync],
        leaving: threading.Event,
        log: Callable[[str], None],
    ) -> None:
        self.branch, self.applications = branch, applications
        self.leaving, self.log = leaving, log
        self._looked = time.monotonic()

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.leaving.set())
        git = threading.Thread(target=self._look_for_ever, name="git", daemon=True)
        git.start()
        threads = [
            threading.Thread(target=one.run, name=one.name, daemon=True)
            for one in self.applications
        ]
        for thread in threads:
            thread.start()
        self.leaving.wait()
        self.branch.wake()
        until = time.monotonic() + END_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        self.log("ended")

    def _look_for_ever(self) -> None:
        seconds = 0.0
        while not self.leaving.wait(seconds):
            try:
                seconds = self.branch.look()
            except Exception as error:
                # The branch must be looked at again whatever a commit holds.
                self.log(f"defect: {type(error).__name__}: {error}")
                seconds = 5.0
            self._looked = time.monotonic()

    def live(self) -> str:
        """Why only a restart helps; empty when it works."""
        now = time.monotonic()
        still = [one.name for one in self.applications if now - one.beat > STILL_SECONDS]
        if now - self._looked > STILL_SECONDS:
            still.append("git")
        words = [f"nothing moves any more: {', '.join(still)}"] if still else []
        broken = [(one.name, one.broken()) for one in self.applications]
        words += [f"{name}: {why}" for name, why in broken if why]
        return "; ".join(words)

    def ready(self) -> str:
        """What it still waits for."""
        waiting = [one.name for one in self.applications if not one.known]
        return f"not read yet: {', '.join(waiting)}" if waiting else ""
