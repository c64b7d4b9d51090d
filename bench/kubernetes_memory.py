"""Memory of a controller that keeps 5,000 objects synced: PSS of the process and of its children.

The syncer runs beside the controller's own modules and the helper that renders charts, and syncs
again and again without a change.
"""

from __future__ import annotations

from bench.context import Bench
from bench.kubernetes_place import place
from bench.kubernetes_work import work
from bench.table import Row

MOST_MB = 200.0
WORDS = {
    "config-maps": "config maps",
    "ten-kinds": "objects of ten kinds",
    "workloads": "Deployments",
}


def run(bench: Bench) -> list[Row]:
    count = bench.times(5_000, 300)
    names = ("ten-kinds",) if bench.quick else tuple(WORDS)
    return [_row(bench, name, count) for name in names]


def _row(bench: Bench, name: str, count: int) -> Row:
    with place(bench.cluster) as here:
        arguments = (bench.cluster.kubeconfig, here.name, name, count)
        work(*arguments, "sync")
        found = work(*arguments, "memory")
    what = f"memory of a controller with {count:,} {WORDS[name]}, Helm helper included"
    measured = f"{found['pss_mb']:.0f} MB in {found['processes']} processes"
    measured += f"; the controller alone at most {found['most_mb']:.0f} MB"
    return Row(what, f"≤ {MOST_MB:g} MB", measured, found["pss_mb"] <= MOST_MB, found)
