"""`make test` from an empty clone, its set-up included, package cache full."""

from __future__ import annotations

import os
import subprocess
import time

from bench.context import Bench
from bench.table import Row
from tests.harness.installation import clone

LIMIT_SECONDS = 8 * 60


def run(bench: Bench) -> list[Row]:
    bench.close()  # its processes would be measured too
    checkout = clone(bench.root / "test-clone")
    begun = time.monotonic()
    done = subprocess.run(
        ["make", "test"], cwd=checkout, env=os.environ, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - begun
    last = (done.stdout.strip().splitlines() or ["nothing was printed"])[-1]
    return [
        Row(
            "`make test` from an empty clone, package cache full",
            "≤ 8 min",
            f"{seconds / 60:.1f} min, exit {done.returncode} ({last.strip('= ')})",
            done.returncode == 0 and seconds <= LIMIT_SECONDS,
            {"output": done.stdout[-4000:]},
        )
    ]
