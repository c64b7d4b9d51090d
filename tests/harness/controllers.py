"""Controllers that sleep, so that somebody else has to act, or can look before they do."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.harness.installation import Installation


@contextmanager
def asleep(installation: Installation, environment: str | None = None) -> Iterator[None]:
    """SIGSTOP for the controller of an environment, or of all: they help each other."""
    found = [p for p in installation.processes(environment) if p.role == "controller"]
    assert found, "no controller runs"
    for process in found:
        process.kill(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in found:
            process.kill(signal.SIGCONT)
