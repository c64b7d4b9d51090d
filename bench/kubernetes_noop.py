"""A reconcile that has nothing to do, of 1,000 config maps: warm, and by a process just started.

Warm: one sync of Slipway's, its live cache filled; one refresh of Argo CD's, its manifests cached.
After a restart: from the start of the process to the answer. Processor time is that of all processes
of each; the API server's is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.argo_peer import peer
from bench.context import Bench
from bench.kubernetes_objects import config_maps
from bench.kubernetes_place import place
from bench.kubernetes_work import work
from bench.table import Row, percentile

Times = Sequence[tuple[float, float]]
"""Wall and processor seconds."""


def run(bench: Bench) -> list[Row]:
    count, rounds = bench.times(1_000, 100), bench.times(5, 1)
    ours_warm, ours_restart = _slipway(bench, count, rounds)
    argo_warm, argo_restart = _argo(bench, count, rounds)
    what = f"no-op reconcile of {count:,} objects"
    return [
        *_rows(f"{what}, warm", ours_warm, argo_warm, 3),
        *_rows(f"{what}, after a restart", ours_restart, argo_restart, 1),
    ]


def _slipway(bench: Bench, count: int, rounds: int) -> tuple[Times, Times]:
    with place(bench.cluster) as here:
        arguments = (bench.cluster.kubeconfig, here.name, "config-maps", count)
        work(*arguments, "sync")
        restarts = [work(*arguments, "sync") for _ in range(rounds)]
        warm = [tuple(pair) for pair in work(*arguments, "warm")["warm"]]
    return warm, [(found["process"], found["process_cpu"]) for found in restarts]


def _argo(bench: Bench, count: int, rounds: int) -> tuple[Times, Times]:
    folder = bench.cluster.folder
    if folder is None:
        return [], []
    with (
        peer(folder, bench.root / "argo-noop", {}) as argo,
        place(bench.cluster) as here,
        argo.application(here.name, config_maps(count)) as name,
    ):
        argo.sync(name)
        argo.settle(name)
        warm = [argo.refresh(name) for _ in range(rounds)]
        restarts = []
        for _ in range(rounds):
            restarts.append(argo.restart(name, {}))
            argo.settle(name)
        return warm, restarts


def _rows(what: str, ours: Times, argo: Times, least: float) -> list[Row]:
    part = "≤ Argo CD's" if least == 1 else f"≤ 1/{least:g} of Argo CD's"
    found = {"wall_cpu_seconds": [list(pair) for pair in ours]}
    if not argo:
        measured = f"{_said(ours)}; Argo CD not run: the cluster was not made here"
        return [Row(what, f"{part} wall and CPU", measured, None, found)]
    wall, cpu = (_median(argo, n) / _median(ours, n) for n in (0, 1))
    measured = f"{_said(ours)}: {wall:.1f} × and {cpu:.1f} × less"
    good = min(wall, cpu) >= least
    others = {"wall_cpu_seconds": [list(pair) for pair in argo]}
    return [
        Row(what, f"{part} wall and CPU", measured, good, found),
        Row(f"{what}, by Argo CD", "", _said(argo), None, others),
    ]


def _said(times: Times) -> str:
    return f"p50 {_median(times, 0):.3f} s, CPU {_median(times, 1):.3f} s (n = {len(times)})"


def _median(times: Times, part: int) -> float:
    return percentile([pair[part] for pair in times], 0.5)
