"""First sync of many objects: Slipway's syncer, `kubectl apply --server-side`, Argo CD.

Each into an empty namespace of the same cluster; rounds of the peers stand between rounds of ours,
and the medians are compared. Slipway's seconds contain the reading of the YAML, not the start of
Python; kubectl's contain its start; Argo CD's are the operation alone, its manifests made before.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.argo_peer import ArgoPeer, peer
from bench.context import Bench
from bench.kubernetes_objects import SETS
from bench.kubernetes_place import place, server_cpu_seconds
from bench.kubernetes_work import work
from bench.table import Row, percentile, spread
from tests.cluster import argocd
from tests.cluster.standing import Standing

WORDS = {"config-maps": "config maps", "ten-kinds": "objects of ten kinds"}


@dataclass
class Times:
    """Seconds of each round of one set of objects, by who made it."""

    name: str
    count: int
    slipway: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    kubectl: list[float] = field(default_factory=list)
    kubectl_cpu: list[float] = field(default_factory=list)
    kubectl_server: list[float] = field(default_factory=list)
    shipped: list[float] = field(default_factory=list)
    lifted: list[float] = field(default_factory=list)


def run(bench: Bench) -> list[Row]:
    cluster = bench.cluster
    sets = [Times("config-maps", bench.times(1_000, 100)), Times("ten-kinds", bench.times(300, 50))]
    rounds = bench.times(2, 1)
    _beside(cluster, sets, rounds)
    if cluster.folder is not None:
        modes: dict[str, Mapping[str, str]] = {"shipped": {}, "lifted": argocd.LIFTED}
        for mode, settings in modes.items():
            with peer(cluster.folder, bench.root / f"argo-{mode}", settings) as argo:
                for times in sets:
                    for _ in range(rounds if mode == "lifted" else 1):
                        getattr(times, mode).append(_argo(cluster, argo, times))
            _beside(cluster, sets, bench.times(1, 0))
    return [row for times in sets for row in _rows(times)]


def _beside(cluster: Standing, sets: list[Times], rounds: int) -> None:
    for times in sets:
        for _ in range(rounds):
            _ours(cluster, times)
            _kubectl(cluster, times)


def _ours(cluster: Standing, times: Times) -> None:
    with place(cluster) as here:
        server = server_cpu_seconds(cluster)
        found = work(cluster.kubeconfig, here.name, times.name, times.count, "sync")
        times.server.append(server_cpu_seconds(cluster) - server)
    times.slipway.append(found["read"] + found["sync"])
    times.cpu.append(found["sync_cpu"])


def _kubectl(cluster: Standing, times: Times) -> None:
    with place(cluster) as here:
        server, own = server_cpu_seconds(cluster), _children_cpu()
        times.kubectl.append(here.kubectl_apply(times.name, times.count))
        times.kubectl_cpu.append(_children_cpu() - own)
        times.kubectl_server.append(server_cpu_seconds(cluster) - server)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _argo(cluster: Standing, argo: ArgoPeer, times: Times) -> float:
    with (
        place(cluster) as here,
        argo.application(here.name, SETS[times.name](times.count)) as name,
    ):
        return argo.sync(name)


def _rows(times: Times) -> list[Row]:
    what = f"first sync of {times.count:,} {WORDS[times.name]}"
    ours = f"{spread(times.slipway)}; {percentile(times.cpu, 0.5):.2f} s of it CPU"
    details: dict[str, Any] = {"seconds": times.slipway, "cpu_seconds": times.cpu}
    compare = _comparer(what, times.slipway)
    kubectl = compare("`kubectl apply --server-side`", times.kubectl, 5)
    if kubectl.good is False and any(times.server):
        kubectl.details["why"] = _why(times)
    return [
        Row(what, "", ours, None, details),
        kubectl,
        compare("Argo CD as shipped", times.shipped, 10),
        compare("Argo CD, client limits lifted, no wave delay", times.lifted, 1),
    ]


def _why(times: Times) -> str:
    """What bounds the comparison: processor time does not depend on who else uses the machine."""
    server, own, theirs, beside = (
        1000 * percentile(seconds, 0.5) / times.count
        for seconds in (times.server, times.cpu, times.kubectl_cpu, times.kubectl_server)
    )
    cores = os.cpu_count() or 1
    most = (theirs + beside) * cores / (server + own)
    return (
        f"{times.count:,} {WORDS[times.name]}, processor time for each: API server and etcd "
        f"{server:.1f} ms for Slipway and {beside:.1f} ms for kubectl, Slipway itself {own:.1f} ms, "
        f"kubectl itself {theirs:.1f} ms. kubectl does not hold itself back where the API server "
        f"shares itself out among clients, so the most that {cores} cores give is {most:.1f} ×."
    )


def _comparer(what: str, ours: list[float]) -> Callable[[str, list[float], float], Row]:
    def compare(who: str, seconds: list[float], least: float) -> Row:
        must = f"≥ {least:g} × Slipway's time"
        if not seconds:
            return Row(f"{what} by {who}", must, "not run: the cluster was not made here", None)
        times = percentile(seconds, 0.5) / percentile(ours, 0.5)
        measured = f"{spread(seconds)}: {times:.1f} ×"
        return Row(f"{what} by {who}", must, measured, times >= least, {"seconds": seconds})

    return compare
