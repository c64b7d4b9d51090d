"""Which slot new connections to the active Service reach, sampled closely."""

from __future__ import annotations

import json
import threading
import time
from types import TracebackType

from tests.kubernetes.cluster_agreement import ask

PAUSE_SECONDS = 0.02


class Follower:
    """One new connection after the other, from a thread, for as long as the block."""

    def __init__(self, address: str) -> None:
        self.host = address.partition(":")[0]
        self.seen: list[tuple[float, str, str]] = []
        """(when it was asked on the monotonic clock, slot, release)"""
        self.failures: list[str] = []
        """What was wrong, or the answer that was no version."""
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join(10)

    def _follow(self) -> None:
        while not self._end.is_set():
            asked = time.monotonic()
            try:
                answer = ask(self.host, 5.0)
                self.seen.append((asked, str(answer["slot"]), str(answer["release"])))
            except json.JSONDecodeError as problem:
                self.failures.append(problem.doc)
            except (OSError, ValueError) as problem:
                self.failures.append(str(problem))
            time.sleep(PAUSE_SECONDS)

    def last_of(self, release: str) -> float:
        """When the last connection was opened that reached the release; AssertionError without one."""
        asked = [when for when, _, named in self.seen if named == release]
        assert asked, f"nobody reached {release}"
        return asked[-1]
