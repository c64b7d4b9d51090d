"""A promotion of a new release into one environment: exec of the command to its end."""

from __future__ import annotations

from bench.context import Bench
from bench.table import Row, spread
from tests.planted.edits import harmless


def run(bench: Bench) -> list[Row]:
    rows = []
    for environment, soak, limit, count in (
        ("dev", 0, 15, bench.times(10, 2)),
        ("staging", 30, 40, bench.times(3, 1)),
    ):
        seconds = []
        for number in range(count):
            edit = harmless(f"promotion {environment} {number}")
            release = bench.installation.release(edit, f"Promotion {number} into {environment}")
            answer = bench.demand(bench.installation.promote(environment, release))
            seconds.append(answer.seconds)
        rows.append(
            Row(
                f"promotion of a new release, soak {soak} s",
                f"≤ {limit} s" if not soak else f"≤ soak + {limit - soak} s",
                spread(seconds, digits=1),
                max(seconds) <= limit,
                {"seconds": seconds},
            )
        )
    return rows
