"""One measurement of the syncer in a process of its own, so that each begins with nothing in memory.

    python -m bench.kubernetes_work KUBECONFIG NAMESPACE SET COUNT STEP

`SET` is one of bench/kubernetes_objects.py. `STEP`: `sync` once; `warm`, then again and again; `heal`,
then drift by hand at every object; `memory`, beside the rest of a controller and its Helm helper.
One JSON document on standard output.
"""

from __future__ import annotations

import argparse
import json
import resource as machine
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from bench.kubernetes_objects import SETS, as_yaml

ROOT = Path(__file__).parents[1]
WARM = 5
HEAL_SECONDS = 30.0


def work(kubeconfig: Path, place: str, name: str, count: int, step: str) -> dict[str, Any]:
    """What the process wrote, its own whole `process` seconds, and its `process_cpu` seconds."""
    argv = [sys.executable, "-m", "bench.kubernetes_work", str(kubeconfig), place, name,
            str(count), step]  # fmt: skip
    before, started = _children_cpu(), time.monotonic()
    done = subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    seconds = time.monotonic() - started
    found: dict[str, Any] = json.loads(done.stdout)
    return {**found, "process": seconds, "process_cpu": _children_cpu() - before}


def _children_cpu() -> float:
    used = machine.getrusage(machine.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _work(kubeconfig: Path, place: str, name: str, count: int, step: str) -> dict[str, Any]:
    from pipelines.adapters.kubernetes.client import open_cluster
    from pipelines.controller.allocator import keep_little
    from pipelines.engine.sync.manifests import read_documents
    from pipelines.model.sync import Retry, SyncSettings
    from pipelines.targets.kubernetes.sync_run import Syncer

    keep_little()  # as the controller does
    text = as_yaml(SETS[name](count))
    found: dict[str, Any] = {}
    started = time.monotonic()
    desired = read_documents(text, "bench")
    found["read"] = time.monotonic() - started
    del text
    cluster = open_cluster(kubeconfig=kubeconfig)
    syncer = Syncer(cluster, SyncSettings(place, place, prune=True, retry=Retry(limit=0)))

    def timed() -> tuple[float, float]:
        began, cpu = time.monotonic(), time.process_time()
        outcome = syncer.sync(desired)
        if outcome.phase != "Succeeded":
            raise RuntimeError(outcome.message)
        return time.monotonic() - began, time.process_time() - cpu

    found["sync"], found["sync_cpu"] = timed()
    if step == "warm":
        found["warm"] = [timed() for _ in range(WARM)]
    if step == "heal":
        found["heals"] = _heal_seconds(syncer, cluster, desired, place)
    if step == "memory":
        found["pss_mb"], found["processes"] = _memory(lambda: timed())
        found["most_mb"] = machine.getrusage(machine.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    syncer.close()
    return found


def _memory(again: Callable[[], object]) -> tuple[float, int]:
    """PSS of this process and its children in MB, and how many there are: a controller has its own
    modules and a helper that renders charts loaded, too."""
    from pipelines import controller, wiring
    from pipelines.adapters.kubernetes.helm_library import HelmLibrary

    loaded = (controller, wiring)
    helm = HelmLibrary()
    try:
        helm.render(ROOT / "charts" / "edge", [], name="edge", namespace="bench")
        for _ in range(WARM):
            again()
        itself = psutil.Process()
        tree = [itself, *itself.children(recursive=True)]
        return sum(one.memory_full_info().pss for one in tree) / 1e6, len(tree) if loaded else 0
    finally:
        helm.close()


def _heal_seconds(syncer: Any, cluster: Any, desired: Sequence[Any], place: str) -> list[float]:
    from pipelines.model.resource import ResourceKey

    healer = syncer.heal(desired, lambda heal: None)
    keys = [ResourceKey("", "ConfigMap", place, resource.name) for resource in desired]
    took = [until_healed(cluster, key) for key in keys]
    healer.close()
    return took


def until_healed(cluster: Any, key: Any) -> float:
    """Seconds from the answer to a change by hand until it is undone."""
    cluster.patch(key, {"data": {"k": "drift"}}, kind="merge", manager="a-person")
    started = time.monotonic()
    until(partial(_is_back, cluster, key), HEAL_SECONDS)
    return time.monotonic() - started


def _is_back(cluster: Any, key: Any) -> bool:
    return bool(cluster.get(key).manifest["data"]["k"] != "drift")


def until(true: Callable[[], bool], seconds: float, every: float = 0.01) -> float:
    """Seconds it took. Raises RuntimeError when it is not true in time."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise RuntimeError(f"not within {seconds:.0f} s")
        time.sleep(every)
    return time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kubeconfig", type=Path)
    parser.add_argument("place")
    parser.add_argument("name", choices=SETS)
    parser.add_argument("count", type=int)
    parser.add_argument("step", choices=("sync", "warm", "heal", "memory"))
    asked = parser.parse_args()
    print(json.dumps(_work(asked.kubeconfig, asked.place, asked.name, asked.count, asked.step)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
