"""Releases of an environment on a cluster, their images present: ten switches under load.

The load goes to the address of the active Service from kept connections, new ones and a WebSocket
(tests/kubernetes/service_load.py).
"""

from __future__ import annotations

import time

from bench.context import Bench
from bench.kubernetes_work import until
from bench.table import Row, spread
from tests.kubernetes import good_releases
from tests.kubernetes.cluster_installation import ClusterInstallation
from tests.kubernetes.service_load import loaded

RATE = 200.0
RELEASE_SECONDS = 60.0
LONGEST_SECONDS = 1_800.0


def run(bench: Bench) -> list[Row]:
    if bench.quick:
        return []  # images and a first release take minutes
    made = bench.released
    good_releases.pair(made)
    good_releases.settle(made)
    return _switches(made, 10, 50_000)


def _switches(made: ClusterInstallation, count: int, requests: int) -> list[Row]:
    took = []
    with loaded(made, rate=RATE) as load:
        for _ in range(count):
            took.append(good_releases.switch(made).seconds)
            time.sleep(1)
        until(lambda: load.requests >= requests, LONGEST_SECONDS, 1.0)
    failed = f"{load.failed} of {load.requests:,} at {RATE:.0f} a second"
    return [
        Row(f"release on a cluster, image present, soak 0, {count} under load", "≤ 60 s",
            spread(took, digits=1), max(took) <= RELEASE_SECONDS, {"seconds": took}),
        Row(f"{count} switches under load through the Service: failed requests",
            f"0 of ≥ {requests:,}", failed, load.failed == 0, {"problems": load.problems}),
    ]  # fmt: skip
