"""What records ask of the machine they run on. `pipelines.adapters.machine` implements it."""

from __future__ import annotations

from typing import Protocol


class Machine(Protocol):
    """Clocks and processes of this machine."""

    def now(self) -> str:
        """Wall clock, UTC ISO 8601 with milliseconds. For people; nothing is decided by it."""

    def later(self, seconds: float) -> str:
        """Wall clock `seconds` from now, for people."""

    def boot_seconds(self) -> float:
        """Seconds since boot, sleep included. Nobody can set this clock back."""

    def boot_id(self) -> str:
        """Changes at every boot; `boot_seconds` of two boots cannot be compared."""

    def own_pid(self) -> int: ...

    def started(self, pid: int) -> str:
        """Start time of a living process in the kernel's own ticks; empty when there is none.
        With the pid it names a process for ever: pids are used again, the pair is not."""
