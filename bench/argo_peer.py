"""Argo CD as a peer: the same objects in a repository, and how long its controller takes.

Nothing asks it through kubectl while it works: its own processes have the machine.
"""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.kubernetes_objects import as_yaml
from bench.kubernetes_work import until
from pipelines.adapters.kubernetes.client import ApiServer, open_cluster
from pipelines.model.resource import Resource, ResourceKey
from tests.cluster import argocd, processes
from tests.cluster.folder import Folder

GROUP = "argoproj.io"
PERSON = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
SECONDS = 600.0
REFRESH = "argocd.argoproj.io/refresh"


class ArgoPeer:
    """One running Argo CD. `home` holds its repositories."""

    def __init__(self, folder: Folder, home: Path) -> None:
        self.folder, self.home = folder, home
        self.cluster: ApiServer = open_cluster(kubeconfig=folder.kubeconfig)

    @contextmanager
    def application(
        self, place: str, resources: Sequence[Resource], *, automated: bool = False
    ) -> Iterator[str]:
        """Compared once, not synced yet unless automated; the Application goes, its objects stay."""
        name = f"bench-{uuid.uuid4().hex[:8]}"
        self._repository(name, resources)
        self.cluster.apply(self._manifest(name, place, automated=automated), manager="bench")
        until(lambda: bool(self._status(name).get("sync", {}).get("revision")), SECONDS)
        try:
            yield name
        finally:
            self.cluster.delete(_key(name))

    def sync(self, name: str) -> float:
        """Seconds of one sync, from the wish to the end of the operation."""
        operation = {"initiatedBy": {"username": "bench"}, "sync": {"syncStrategy": {"hook": {}}}}
        began = time.monotonic()
        self.cluster.patch(_key(name), {"operation": operation}, kind="merge", manager="bench")
        until(lambda: self._phase(name) in ("Succeeded", "Failed", "Error"), SECONDS, 0.05)
        seconds = time.monotonic() - began
        if self._phase(name) != "Succeeded":
            raise RuntimeError(f"Argo CD: {self._status(name)['operationState'].get('message')}")
        return seconds

    def settle(self, name: str) -> None:
        """Until what it does after a sync is done."""
        self.settled(name)
        self.quiet()

    def settled(self, name: str) -> None:
        """Until the state is Synced."""
        until(lambda: self._status(name).get("sync", {}).get("status") == "Synced", SECONDS, 0.1)

    def quiet(self) -> None:
        """Until it uses next to no processor."""
        quiet, used = 0, argocd.cpu_seconds(self.folder)
        while quiet < 3:
            time.sleep(1.0)
            now = argocd.cpu_seconds(self.folder)
            quiet, used = (quiet + 1 if now - used < 0.1 else 0), now

    def refresh(self, name: str) -> tuple[float, float]:
        """Wall and processor seconds of one reconcile of what has not changed."""
        used, began = argocd.cpu_seconds(self.folder), time.monotonic()
        self._refresh(name)
        return time.monotonic() - began, argocd.cpu_seconds(self.folder) - used

    def restart(self, name: str, settings: Mapping[str, str]) -> tuple[float, float]:
        """The same by a controller that was just started."""
        processes.stop(self.folder, argocd.CONTROLLER)
        used, began = argocd.cpu_seconds(self.folder), time.monotonic()
        argocd.start(self.folder, settings)
        self._refresh(name)
        return time.monotonic() - began, argocd.cpu_seconds(self.folder) - used

    def _refresh(self, name: str) -> None:
        wish = {"metadata": {"annotations": {REFRESH: "normal"}}}
        self.cluster.patch(_key(name), wish, kind="merge", manager="bench")
        until(lambda: REFRESH not in self._live(name).annotations, SECONDS)

    def _phase(self, name: str) -> str:
        return str(self._status(name).get("operationState", {}).get("phase", ""))

    def _status(self, name: str) -> dict[str, Any]:
        return dict(self._live(name).manifest.get("status") or {})

    def _live(self, name: str) -> Resource:
        found = self.cluster.get(_key(name))
        if found is None:
            raise RuntimeError(f"Application {name} is gone")
        return found

    def _repository(self, name: str, resources: Sequence[Resource]) -> None:
        folder = self.home / name
        folder.mkdir(parents=True)
        (folder / "all.yaml").write_text(as_yaml(list(resources)))
        _git("init", "--quiet", "-b", "main", folder)
        _git("-C", folder, "add", ".")
        _git("-C", folder, *PERSON, "commit", "--quiet", "-m", "All")

    def _manifest(self, name: str, place: str, *, automated: bool) -> dict[str, Any]:
        address = f"file://{self.home / name}"
        policy = {"automated": {"prune": True, "selfHeal": True}} if automated else {}
        return {
            "apiVersion": f"{GROUP}/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": argocd.NAMESPACE},
            "spec": {
                "project": "default",
                "source": {"repoURL": address, "path": ".", "targetRevision": "main"},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": place},
                "syncPolicy": policy,
            },
        }


@contextmanager
def peer(folder: Folder, home: Path, settings: Mapping[str, str]) -> Iterator[ArgoPeer]:
    """Started with these settings; ended afterwards. Raises ClusterError when one runs already:
    it may have other settings, and it is somebody's."""
    if processes.alive(folder, argocd.CONTROLLER) is not None:
        raise RuntimeError("Argo CD runs beside this cluster: python -m tests.cluster argocd down")
    try:
        argocd.up(folder, settings)
        yield ArgoPeer(folder, home)
    finally:
        argocd.down(folder, keep_objects=True)


def _key(name: str) -> ResourceKey:
    return ResourceKey(GROUP, "Application", argocd.NAMESPACE, name)


def _git(*words: str | Path) -> None:
    subprocess.run(["git", *words], check=True, capture_output=True)
