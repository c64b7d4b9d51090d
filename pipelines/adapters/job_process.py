"""The process that works on one job: a child of the controller that never outlives it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from pipelines.adapters.programs import end_left_overs

_PR_SET_PDEATHSIG = 1
_NICE = 10
_GRACE_SECONDS = 3.0


class JobProcess:
    """`flows.working.Running`."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Must be made by a thread that lives as long as the controller: the kernel ends the child
        with the thread that started it."""
        self._process = subprocess.Popen(
            list(argv), env=dict(environment), cwd="/", stdin=subprocess.DEVNULL
        )
        self.pid = self._process.pid

    def ended(self) -> int | None:
        """Exit code (negative: the signal); None while it runs."""
        code = self._process.poll()
        if code is not None:
            end_left_overs()
        return code

    def stop(self) -> None:
        """It is gone afterwards, and what it started."""
        self._process.terminate()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        end_left_overs()


def become(parent: int) -> None:
    """Called by the child: go with the controller, and after everything that trades."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    # As an exception, so that what runs is ended and locks are given back on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if os.getppid() != parent:
        sys.exit("the controller is gone")
    os.nice(_NICE)
