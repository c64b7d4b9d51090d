"""A change by hand to the moment it is undone, one object after another; Argo CD beside it.

Argo CD has an application of its own for each object: it puts the same one back ever more slowly.
"""

from __future__ import annotations

from contextlib import ExitStack

from bench.argo_peer import peer
from bench.context import Bench
from bench.kubernetes_objects import config_maps
from bench.kubernetes_place import place
from bench.kubernetes_work import until_healed, work
from bench.table import Row, percentile, spread
from pipelines.model.resource import ResourceKey

LIMIT_SECONDS = 1.0


def run(bench: Bench) -> list[Row]:
    count = bench.times(40, 5)
    with place(bench.cluster) as here:
        took = work(bench.cluster.kubeconfig, here.name, "config-maps", count, "heal")["heals"]
    what = "drift made by hand → healed"
    good = percentile(took, 0.95) <= LIMIT_SECONDS
    rows = [Row(what, "p95 ≤ 1 s", spread(took, digits=3), good, {"seconds": took})]
    argo = _argo(bench, bench.times(20, 2))
    measured = spread(argo, digits=3) if argo else "not run: the cluster was not made here"
    return [*rows, Row(f"{what}, by Argo CD", "", measured, None, {"seconds": argo})]


def _argo(bench: Bench, count: int) -> list[float]:
    folder, took = bench.cluster.folder, []
    if folder is None:
        return []
    with (
        peer(folder, bench.root / "argo-heal", {}) as argo,
        place(bench.cluster) as here,
        ExitStack() as made,
    ):
        objects = config_maps(count)
        names = [
            made.enter_context(argo.application(here.name, [one], automated=True))
            for one in objects
        ]
        for name in names:
            argo.settled(name)
        argo.quiet()
        for one in objects:
            key = ResourceKey("", "ConfigMap", here.name, one.name)
            took.append(until_healed(argo.cluster, key))
    return took
