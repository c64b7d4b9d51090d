"""Memory, idle CPU and disk growth with both slots of all three environments filled."""

from __future__ import annotations

import time
from pathlib import Path

from bench.context import Bench
from bench.table import Row
from tests.harness import processes
from tests.harness.installation import ENVIRONMENTS

SETTLE_SECONDS = 20
FILL_SECONDS = 660
"""Until days are dropped as fast as they come: 800 days are kept, a trading day takes a second."""


def disk_bytes(folder: Path) -> tuple[int, int]:
    """Blocks in use below a folder: what is kept, and write-ahead logs, which are used again and
    again up to a limit. Files that go meanwhile are left out."""
    kept = logs = 0
    seen = set[tuple[int, int]]()
    for path in folder.rglob("*"):
        try:
            facts = path.lstat()
        except OSError:
            continue
        if (facts.st_dev, facts.st_ino) not in seen:
            seen.add((facts.st_dev, facts.st_ino))
            if "pg_wal" in path.parts or path.name.endswith("-wal"):
                logs += facts.st_blocks * 512
            else:
                kept += facts.st_blocks * 512
    return kept, logs


def run(bench: Bench) -> list[Row]:
    for environment in ENVIRONMENTS:
        bench.prepare(environment)
    installation = bench.installation
    filled = sum(1 for p in installation.processes() if p.role in ("api", "trader"))
    time.sleep(SETTLE_SECONDS)
    state, runtime = installation.state, installation.runtime
    window = 60
    used = processes.cpu_seconds(state, runtime)
    time.sleep(window)
    after = processes.cpu_seconds(state, runtime)
    cpu = sum(value - used.get(pid, 0.0) for pid, value in after.items()) / window
    time.sleep(bench.times(FILL_SECONDS, 0))
    before, began = disk_bytes(state), time.monotonic()
    time.sleep(bench.times(600, 60))
    hours = (time.monotonic() - began) / 3600
    now = disk_bytes(state)
    growth, logs = (now[0] - before[0]) / 2**20 / hours, now[1] / 2**20
    pss = processes.pss_bytes(state, runtime) / 2**30
    return [
        Row(
            f"memory (PSS) of everything, both slots filled ({filled} application processes)",
            "≤ 3.5 GiB",
            f"{pss:.2f} GiB",
            pss <= 3.5 and filled == 12,
        ),
        Row(f"idle CPU over {window} s", "≤ 15 % of one core", f"{cpu:.1%}", cpu <= 0.15),
        Row(
            "disk growth",
            "≤ 50 MB/h",
            f"{growth:.0f} MB/h over {hours * 60:.0f} min; besides, write-ahead logs of a fixed "
            f"ceiling (3 × 100 MB) hold {logs:.0f} MB",
            growth <= 50,
        ),
    ]
