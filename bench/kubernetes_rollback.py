"""A rollback on a cluster: from the command to the last new connection that reached the bad release."""

from __future__ import annotations

import time

from bench.context import Bench
from bench.table import Row, percentile, spread
from tests.harness import releases
from tests.kubernetes import good_releases
from tests.kubernetes.cluster_installation import ENVIRONMENT, ClusterInstallation
from tests.kubernetes.following import Follower

ROLLBACK_SECONDS = 2.0


def run(bench: Bench) -> list[Row]:
    if bench.quick:
        return []  # images and a first release take minutes
    made = bench.released
    good_releases.pair(made)
    return [_rollbacks(made, 20)]


def _rollbacks(made: ClusterInstallation, count: int) -> Row:
    took = [_rollback(made) for _ in range(count)]
    good = percentile(took, 0.95) <= ROLLBACK_SECONDS
    what = "rollback on a cluster, command to all new connections on the old slot"
    return Row(what, "p95 ≤ 2 s", spread(took), good, {"seconds": took})


def _rollback(made: ClusterInstallation) -> float:
    good_releases.settle(made)
    other = releases.other_release(made, ENVIRONMENT)
    good_releases.settle(made, other)
    with Follower(made.address("trading")) as follower:
        began = time.monotonic()
        made.ok("rollback", ENVIRONMENT, "--reason", "bench")
        time.sleep(1.0)
    if follower.failures:
        raise RuntimeError(f"{len(follower.failures)} connections failed: {follower.failures[0]}")
    return follower.last_of(other) - began
