"""Waiting for what a target promises, with a limit."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable

from pipelines.model.live import Health
from pipelines.model.release import Release
from pipelines.model.slots import Slot
from pipelines.targets.protocol import Target


def until(condition: Callable[[], bool], seconds: float = 15.0, what: str = "") -> float:
    """Seconds it took; AssertionError after the limit."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what or condition}"
        time.sleep(0.01)
    return time.monotonic() - began


def staged(target: Target, slot: Slot, release: Release) -> None:
    target.stage(slot, release)
    until(lambda: target.observe_slot(slot).health is Health.HEALTHY, what=f"{slot} healthy")


def pids(target: Target, slot: Slot) -> dict[str, int | None]:
    return {process.name: process.pid for process in target.observe_slot(slot).processes}


def healed(target: Target, slot: Slot) -> tuple[str, ...]:
    """Mend every difference; what they were, in words."""
    drift = target.slot_drift(slot)
    for mend in drift:
        mend.act()
    return tuple(mend.words for mend in drift)


def reached(url: str, seconds: float = 5.0) -> bytes:
    """As `get`, for an address that was just made to lead somewhere."""
    found: list[bytes] = []

    def answers() -> bool:
        try:
            found.append(get(url))
        except OSError:
            return False
        return True

    until(answers, seconds, url)
    return found[0]


def get(url: str, seconds: float = 2.0) -> bytes:
    with urllib.request.urlopen(url, timeout=seconds) as answer:
        content: bytes = answer.read()
        return content
