"""How long a sync takes: first, unchanged, after a restart, drift to healed, and in which memory.

    python -m bench.kubernetes_sync KUBECONFIG [--kubectl PROGRAM] [--quick]

Each measurement is a process of its own in a namespace of its own; `kubectl` is measured beside it
on the same objects. Namespaces stay where no controller removes them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource as machine
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.kubernetes_objects import SETS, as_yaml
from bench.table import HEAD, Row, percentile, spread

ROOT = Path(__file__).parents[1]


def rows(kubeconfig: Path, kubectl: str | None, *, quick: bool = False) -> list[Row]:
    """All figures of the syncer alone; the times are wall-clock seconds."""
    found = []
    for name, count in (
        ("config-maps", 100 if quick else 1_000),
        ("ten-kinds", 50 if quick else 300),
    ):
        found += _of_set(kubeconfig, kubectl, name, count)
    found.append(_heals(kubeconfig, 10 if quick else 40))
    for name in ("config-maps", "ten-kinds", "workloads"):
        found.append(_memory(kubeconfig, name, 500 if quick else 5_000))
    return found


def _of_set(kubeconfig: Path, kubectl: str | None, name: str, count: int) -> list[Row]:
    place = _fresh()
    first = work(kubeconfig, place, name, count, "sync")
    restart = work(kubeconfig, place, name, count, "warm")
    what = f"{count} objects ({name})"
    found = [
        Row(f"first sync of {what}", "",
            f"{_seconds(first, 'sync')}, after {first['read']:.2f} s of reading YAML", None, first),
        Row(f"no-op sync of {what}, warm", "", _seconds(restart, "warm"), None, restart),
        Row(f"no-op sync of {what}, after a restart", "",
            f"{_seconds(restart, 'sync')}; {restart['process']:.2f} s with its start", None, restart),
    ]  # fmt: skip
    if kubectl:
        seconds = kubectl_apply(kubectl, kubeconfig, _fresh(), name, count)
        times = seconds / (first["read"] + first["sync"])
        found.append(
            Row(f"`kubectl apply --server-side` of {what}", "≥ 5 × slower",
                f"{seconds:.2f} s, {times:.1f} ×", times >= 5)
        )  # fmt: skip
    return found


def _seconds(found: dict[str, Any], what: str) -> str:
    return f"{found[what]:.3f} s, {found[what + '_cpu']:.3f} s CPU"


def _heals(kubeconfig: Path, count: int) -> Row:
    took = work(kubeconfig, _fresh(), "config-maps", count, "heal")["heals"]
    return Row("drift made by hand → healed", "p95 ≤ 1 s", spread(took, digits=3),
               percentile(took, 0.95) <= 1.0, {"seconds": took})  # fmt: skip


def _memory(kubeconfig: Path, name: str, count: int) -> Row:
    place = _fresh()
    work(kubeconfig, place, name, count, "sync")
    found = work(kubeconfig, place, name, count, "warm")
    return Row(f"memory of a syncer that watches {count} objects ({name})", "≤ 200 MB",
               f"{found['rss_mb']:.0f} MB, at most {found['most_mb']:.0f} MB",
               found["most_mb"] <= 200, found)  # fmt: skip


def kubectl_apply(kubectl: str, kubeconfig: Path, place: str, name: str, count: int) -> float:
    """Seconds of one `kubectl apply --server-side` of the same objects in a namespace of its own."""
    base = [kubectl, "--kubeconfig", str(kubeconfig)]
    subprocess.run([*base, "create", "namespace", place], check=True, capture_output=True)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(as_yaml(SETS[name](count)))
        file.flush()
        started = time.monotonic()
        argv = [*base, "--namespace", place, "apply", "--server-side", "-f", file.name]
        subprocess.run(argv, check=True, capture_output=True)
        return time.monotonic() - started


def work(kubeconfig: Path, place: str, name: str, count: int, step: str) -> dict[str, Any]:
    """One measurement in a process of its own; its own seconds and those with its start."""
    argv = [sys.executable, "-m", "bench.kubernetes_sync", str(kubeconfig), "--work", place, name,
            str(count), step]  # fmt: skip
    started = time.monotonic()
    done = subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return {**found, "process": time.monotonic() - started}


def _work(kubeconfig: Path, place: str, name: str, count: int, step: str) -> dict[str, Any]:
    from pipelines.adapters.kubernetes.client import open_cluster
    from pipelines.engine.sync.manifests import read_documents
    from pipelines.model.sync import Retry, SyncSettings
    from pipelines.targets.kubernetes.sync_run import Syncer

    cluster = open_cluster(kubeconfig=kubeconfig)
    options = frozenset({"CreateNamespace"})
    settings = SyncSettings(place, place, prune=True, options=options, retry=Retry(limit=0))
    syncer, text = Syncer(cluster, settings), as_yaml(SETS[name](count))
    started = time.monotonic()
    desired = read_documents(text, "bench.yaml")
    found: dict[str, Any] = {"read": time.monotonic() - started}

    def timed(what: str) -> None:
        started, cpu = time.monotonic(), time.process_time()
        outcome = syncer.sync(desired)
        found[what] = time.monotonic() - started
        found[f"{what}_cpu"] = time.process_time() - cpu
        if outcome.phase != "Succeeded":
            raise RuntimeError(outcome.message)

    timed("sync")
    for _ in range(3 if step == "warm" else 0):
        timed("warm")
    if step == "heal":
        found["heals"] = _heal_seconds(syncer, cluster, desired, place)
    found["rss_mb"] = _resident_mb()
    found["most_mb"] = machine.getrusage(machine.RUSAGE_SELF).ru_maxrss / 1024
    syncer.close()
    return found


def _heal_seconds(syncer: Any, cluster: Any, desired: Sequence[Any], place: str) -> list[float]:
    from pipelines.model.resource import ResourceKey

    took = []
    healer = syncer.heal(desired, lambda heal: None)
    for resource in desired:
        key = ResourceKey("", "ConfigMap", place, resource.name)
        started = time.monotonic()
        cluster.patch(key, {"data": {"k": "drift"}}, kind="merge", manager="a-person")
        _until(partial(_is_back, cluster, key))
        took.append(time.monotonic() - started)
    healer.close()
    return took


def _is_back(cluster: Any, key: Any) -> bool:
    return bool(cluster.get(key).manifest["data"]["k"] != "drift")


def _until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not true():
        if time.monotonic() > until:
            raise RuntimeError("not healed in 30 s")
        time.sleep(0.002)


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _fresh() -> str:
    return f"bench-{time.time_ns() // 1_000_000 % 10**9}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kubeconfig", type=Path)
    parser.add_argument("--kubectl", default=shutil.which("kubectl"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        place, name, count, step = options.work
        print(json.dumps(_work(options.kubeconfig, place, name, int(count), step)))
        return 0
    found = rows(options.kubeconfig, options.kubectl, quick=options.quick)
    print(HEAD)
    for row in found:
        print(row.markdown())
    return 1 if any(row.good is False for row in found) else 0


if __name__ == "__main__":
    sys.exit(main())
