"""Namespaces for measurements, and what kubectl needs there; all on one standing test cluster.

The cluster is the one that SLIPWAY_TEST_CLUSTER or KUBECONFIG names, else one made here and ended.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.kubernetes_objects import SETS, as_yaml
from tests.cluster import lifecycle, processes, standing
from tests.cluster.folder import Folder
from tests.cluster.standing import Standing

GONE_SECONDS = 180.0


@contextmanager
def standing_cluster() -> Iterator[Standing]:
    """Used and left when it stood before; else made for the block."""
    named = os.environ.get("SLIPWAY_TEST_CLUSTER")
    if named:
        yield standing.of(Folder(Path(named)))
        return
    short = Path("/tmp")  # noqa: S108 - paths of sockets must be short
    folder = Folder(short / f"slipway-{uuid.uuid4().hex[:8]}")
    try:
        yield standing.up(folder)
    finally:
        if folder.facts() is not None:
            lifecycle.down(folder)


def server_cpu_seconds(cluster: Standing) -> float:
    """Processor time that API server and etcd used so far; 0 for a cluster that was not made here."""
    total = 0.0
    for name in ("kube-apiserver", "etcd") if cluster.folder else ():
        process = processes.worker(cluster.folder, name)
        if process is not None:
            times = process.cpu_times()
            total += times.user + times.system
    return total


@dataclass(frozen=True, slots=True)
class Place:
    """One namespace; gone with all its objects when the block ends, so that nobody lists them."""

    cluster: Standing
    name: str

    def kubectl_apply(self, set_name: str, count: int) -> float:
        """Seconds of one `kubectl apply --server-side` of the objects."""
        text = as_yaml(SETS[set_name](count))
        began = time.monotonic()
        words = ("--namespace", self.name, "apply", "--server-side", "-f", "-")
        self.cluster.must(*words, feed=text, seconds=600)
        return time.monotonic() - began


@contextmanager
def place(cluster: Standing) -> Iterator[Place]:
    """A fresh namespace."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    cluster.must("create", "namespace", name)
    try:
        yield Place(cluster, name)
    finally:
        words = ("delete", "namespace", name, f"--timeout={GONE_SECONDS:.0f}s")
        cluster.kubectl(*words, seconds=GONE_SECONDS + 30)
