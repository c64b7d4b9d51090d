"""Trouble that ends with a block: processes that sleep, an origin that is away."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.harness.installation import Installation
from tests.harness.processes import Running


@contextmanager
def asleep(processes: Sequence[Running]) -> Iterator[None]:
    """SIGSTOP; those that are still there go on afterwards. Nobody to stop is a mistake of the test."""
    assert processes, "none of them runs"
    for process in processes:
        process.kill(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.kill(signal.SIGCONT)


def controllers(installation: Installation, environment: str | None = None) -> list[Running]:
    """Of an environment, or of all: they help each other."""
    return [p for p in installation.processes(environment) if p.role == "controller"]


@contextmanager
def origin_away(installation: Installation) -> Iterator[None]:
    away = installation.origin.with_name("origin-away.git")
    installation.origin.rename(away)
    try:
        yield
    finally:
        away.rename(installation.origin)
