"""Load on an environment on a cluster, to one more replica that answers."""

from __future__ import annotations

from bench.context import Bench
from bench.table import Row, percentile, spread
from tests.kubernetes import good_releases, growing

LIMIT_SECONDS = 30.0


def run(bench: Bench) -> list[Row]:
    if bench.quick:
        return []  # images and a first release take minutes
    made = bench.released
    good_releases.pair(made)
    before = good_releases.settle(made)
    growing.release(made)
    try:
        took = [growing.one_more(made) for _ in range(10)]
    finally:
        growing.until_one(made)
        good_releases.settle(made, before)
    good = percentile(took, 0.95) <= LIMIT_SECONDS
    what = "load on a cluster → one more replica Ready"
    return [Row(what, "p95 of 10 ≤ 30 s", spread(took, digits=1), good, {"seconds": took})]
