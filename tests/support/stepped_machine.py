"""A machine whose clocks and processes a test moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class SteppedMachine:
    """`running`: pid → start time. Starts as process 100 of boot `first`."""

    pid: int = 100
    boot: str = "first"
    seconds: float = 1000.0
    wall: datetime = datetime(2026, 3, 2, 12, tzinfo=UTC)
    running: dict[int, str] = field(default_factory=lambda: {100: "77", 200: "88"})

    def now(self) -> str:
        return self.wall.isoformat(timespec="milliseconds")

    def later(self, seconds: float) -> str:
        return (self.wall + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")

    def boot_seconds(self) -> float:
        return self.seconds

    def boot_id(self) -> str:
        return self.boot

    def own_pid(self) -> int:
        return self.pid

    def started(self, pid: int) -> str:
        return self.running.get(pid, "")

    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds)
