"""Clocks and processes of this machine, from the kernel. Linux only."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class LinuxMachine:
    """`records.machine.Machine`."""

    def __init__(self) -> None:
        self._boot_id = _BOOT_ID.read_text().strip()

    def now(self) -> str:
        return _text(datetime.now(UTC))

    def later(self, seconds: float) -> str:
        return _text(datetime.now(UTC) + timedelta(seconds=seconds))

    def boot_seconds(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot_id(self) -> str:
        return self._boot_id

    def own_pid(self) -> int:
        return os.getpid()

    def started(self, pid: int) -> str:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return ""
        # The command's name stands in brackets and may hold spaces and brackets itself.
        fields = stat.rpartition(")")[2].split()
        state, start_ticks = fields[0], fields[19]
        return "" if state in "ZX" else start_ticks


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
