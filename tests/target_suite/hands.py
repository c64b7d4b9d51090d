"""What a test does behind the engine's back, on this machine and on a cluster alike."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pipelines.adapters.postgres import LocalPostgres
from pipelines.model.resource import ResourceKey
from pipelines.model.slots import Slot
from pipelines.targets.kubernetes.target import KubernetesTarget
from pipelines.targets.local.target import LocalTarget


class Hands(Protocol):
    """`pids` are this machine's: the cluster's only node runs on it."""

    kill_seconds: float
    """What killing a slot may take on a busy machine."""
    traffic_seconds: float
    """What moving traffic and killing the other slot may take."""
    gone_seconds: float
    """After which the killed processes are gone."""
    back_seconds: float
    """What starting a process again may take."""

    def pids(self, slot: Slot) -> Mapping[str, int]: ...

    def stop_database(self) -> None: ...

    def halt_keeper(self) -> None:
        """What starts processes again does not work for a while."""

    def values_text(self, slot: Slot) -> str: ...

    def spoil_values(self, slot: Slot) -> None: ...


class LocalHands:
    kill_seconds = 0.5  # at rest it is a few milliseconds
    traffic_seconds = 0.5
    gone_seconds = 2.0
    back_seconds = 1.5

    def __init__(self, target: LocalTarget) -> None:
        self.target = target

    def pids(self, slot: Slot) -> Mapping[str, int]:
        return {p.name: p.pid for p in self.target.observe_slot(slot).processes if p.pid}

    def stop_database(self) -> None:
        self.target.adapters.database.stop()

    def halt_keeper(self) -> None:
        pid = int(self.target.layout.supervisor_pidfile.read_text().split()[0])
        os.kill(pid, signal.SIGSTOP)

    def values_text(self, slot: Slot) -> str:
        return self.target.layout.values_file(slot).read_text()

    def spoil_values(self, slot: Slot) -> None:
        self.target.layout.values_file(slot).write_text("number: 99\n")


class ClusterHands:
    """As somebody with kubectl, and root on the node."""

    kill_seconds = 2.5  # pods are asked to end after their connections have gone elsewhere
    traffic_seconds = 4.0
    gone_seconds = 15.0
    back_seconds = 12.0

    def __init__(self, target: KubernetesTarget, database: LocalPostgres) -> None:
        self.target, self.database = target, database

    def pids(self, slot: Slot) -> Mapping[str, int]:
        """First processes of the pods, as the node's kernel numbers them."""
        found = self.target.observer.objects(slot).pods
        return {
            name: pid
            for name, pods in found.items()
            for pod in pods
            if (pid := first_pid(pod.name))
        }

    def stop_database(self) -> None:
        self.database.stop()

    def halt_keeper(self) -> None:
        """The cluster's own controllers are nobody's to stop here."""

    def _map(self, slot: Slot) -> ResourceKey:
        return ResourceKey("", "ConfigMap", self.target.place.namespace, f"echo-{slot}-settings")

    def values_text(self, slot: Slot) -> str:
        live = self.target.cluster.get(self._map(slot))
        return str(live.manifest["data"]["values.yaml"]) if live else ""

    def spoil_values(self, slot: Slot) -> None:
        patch = {"data": {"values.yaml": "number: 99\n"}}
        self.target.cluster.patch(self._map(slot), patch, kind="merge", manager="kubectl-edit")


def first_pid(pod: str) -> int | None:
    """Of the application in a pod, found by the host name that Kubernetes gives it."""
    wanted = f"HOSTNAME={pod}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in environment and any(e.startswith(b"SLIPWAY_SLOT=") for e in environment):
            return int(entry.name)
    return None


def halt(pids: Mapping[str, int]) -> None:
    for pid in pids.values():
        os.kill(pid, signal.SIGSTOP)


def runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
