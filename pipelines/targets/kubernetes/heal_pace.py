"""How fast one object may be put back: at once the first times, then ever more slowly."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

FREE = 3
"""So many heals in a row are made at once."""
FIRST_SECONDS = 2.0
FACTOR = 3.0
MOST_SECONDS = 300.0
"""The pause after them: Argo CD's self-heal grows the same way."""
QUIET_SECONDS = 60.0
"""An object that stayed as it should be for so long after its pause begins anew."""


@dataclass(slots=True)
class _Count:
    times: int
    last: float
    until: float


class Pace:
    """`now` is of one clock in seconds that never goes back."""

    def __init__(self) -> None:
        self._counts: dict[Hashable, _Count] = {}

    def may(self, key: Hashable, now: float) -> bool:
        count = self._counts.get(key)
        return count is None or now >= count.until

    def healed(self, key: Hashable, now: float) -> None:
        count = self._counts.get(key)
        if count is None or now > count.until + QUIET_SECONDS:
            count = self._counts[key] = _Count(0, now, now)
        count.times += 1
        count.last = now
        count.until = now + self._pause(count.times - FREE + 1)

    def failed(self, key: Hashable, now: float) -> None:
        """A heal that failed is tried again after a pause, also the first one."""
        count = self._counts.setdefault(key, _Count(0, now, now))
        count.times = max(count.times + 1, FREE)
        count.until = now + self._pause(count.times - FREE + 1)

    @staticmethod
    def _pause(beyond: int) -> float:
        if beyond <= 0:
            return 0.0
        return float(min(MOST_SECONDS, FIRST_SECONDS * FACTOR ** min(beyond - 1, 10)))
