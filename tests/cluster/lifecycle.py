"""`up` and `down` of a cluster made here, and what stands now."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.cluster import (
    addons,
    cgroups,
    control_plane,
    docker,
    images,
    machine,
    node,
    processes,
    tools,
)
from tests.cluster.errors import NotReady
from tests.cluster.folder import Facts, Folder
from tests.cluster.say import say, step
from tests.cluster.versions import CLUSTER

PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
ON_NODE = (node.HOLDER, "containerd", "kubelet", "kube-proxy")


def up(folder: Folder) -> Facts:
    """Build what is missing and start what does not run. A standing cluster is left as it is."""
    began = time.monotonic()
    machine.for_node()
    for part in CLUSTER:
        tools.build(part)
    facts = folder.facts()
    if facts is None or processes.alive(folder, node.HOLDER) is None:
        if facts is not None:
            say("what is left of the last cluster is taken away")
            down(folder)
        facts = _make(folder)
    _start(folder, facts)
    say(f"cluster ready: {folder.kubeconfig}", began)
    return facts


def _make(folder: Folder) -> Facts:
    folder.path.mkdir(parents=True, exist_ok=True)
    index = node.claim_index()
    ports = [processes.free_port() for _ in range(5)]
    facts = Facts(index, *ports)
    folder.keep(facts)
    with step("certificates and settings"):
        control_plane.prepare(folder, facts)
        node.configure(folder, facts)
        cgroups.make(facts.cgroup)
        node.hold(folder, facts)
    return facts


def _missing(folder: Folder, name: str) -> bool:
    return processes.alive(folder, name) is None


def _start(folder: Folder, facts: Facts) -> None:
    """Control plane and container runtime at once, then the kubelet, then what runs in pods."""
    with ThreadPoolExecutor() as both:
        jobs = [
            both.submit(_start_control_plane, folder, facts),
            both.submit(_start_runtime, folder),
        ]
        for job in jobs:
            job.result()
    fresh = _missing(folder, "kubelet")
    if fresh:
        node.start_kubelet(folder, facts)
    if _missing(folder, "kube-proxy"):
        node.start_proxy(folder)
    with step("CoreDNS, metrics-server and volumes applied"):
        addons.install(folder, facts)
    with step("node ready"):
        _until_node_ready(folder)
    with step("CoreDNS and metrics-server ready"):
        addons.wait(folder)


def _start_control_plane(folder: Folder, facts: Facts) -> None:
    starters: dict[str, Callable[[Folder, Facts], None]] = {
        "etcd": control_plane.start_etcd,
        "kube-apiserver": control_plane.start_api,
    }
    with step("API server ready"):
        for name, starter in starters.items():
            if _missing(folder, name):
                starter(folder, facts)
        control_plane.answers(folder, facts)
    if _missing(folder, "kube-controller-manager"):
        control_plane.start_controllers(folder, facts)
    if _missing(folder, "kube-scheduler"):
        control_plane.start_scheduler(folder, facts)


def _start_runtime(folder: Folder) -> None:
    if not _missing(folder, "containerd"):
        return
    with step("containerd ready"):
        node.start_containerd(folder)
    with step("images imported"):
        for image in (images.pause(), images.coredns(), images.metrics_server()):
            images.load(folder, image.archive)


def _until_node_ready(folder: Folder) -> None:
    deadline = time.monotonic() + 60
    words = ("wait", f"node/{node.NAME}", "--for=condition=Ready", "--timeout=30s")
    while (done := addons.kubectl(folder, *words)).returncode:
        if time.monotonic() > deadline:
            raise NotReady(
                f"the node is not ready: {done.stderr.strip()}", f"read {folder.logs}/kubelet.log"
            )
        time.sleep(0.2)


def down(folder: Folder) -> None:
    """End everything that was started for this folder, and remove the folder. Quiet when nothing is."""
    facts = folder.facts()
    processes.end_all(folder)
    if facts is not None:
        node.release_index(facts)
        cgroups.remove(facts.cgroup)
    if (folder / docker.NAME).exists():
        docker.down(folder)
    shutil.rmtree(folder.path, ignore_errors=True)


def standing(folder: Folder) -> dict[str, int | None]:
    """Process id of every part; None for one that does not run."""
    found = {name: processes.worker(folder, name) for name in (*PARTS, *ON_NODE)}
    return {name: process.pid if process else None for name, process in found.items()}
