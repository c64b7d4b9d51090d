"""The two Applications of an environment, as `environments/<env>/` has them, on a test cluster."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import argocd
from tests.cluster.folder import Folder
from tests.cluster.standing import Standing

REFRESH = "argocd.argoproj.io/refresh"


@dataclass(frozen=True, slots=True)
class Applications:
    """`suffix` keeps their names apart from another test's."""

    cluster: Standing
    folder: Folder
    suffix: str

    @property
    def slots(self) -> str:
        return f"slipway-dev-slots-{self.suffix}"

    @property
    def edge(self) -> str:
        return f"slipway-dev-edge-{self.suffix}"

    def create(self, environment: Path, origin: Path, namespace: str) -> None:
        """From the files of `environment`, with nothing changed but names and places."""
        for file in ("application-edge.yaml", "application.yaml"):
            found = yaml.safe_load((environment / file).read_text())
            found["metadata"]["name"] += f"-{self.suffix}"
            found["spec"]["source"]["repoURL"] = f"file://{origin}"
            found["spec"]["destination"]["namespace"] = namespace
            self.cluster.apply(json.dumps(found))

    def delete(self) -> None:
        for name in (self.slots, self.edge):
            words = ("delete", "application", name, "--ignore-not-found", "--wait=false")
            self.cluster.kubectl("--namespace", argocd.NAMESPACE, *words)

    def look(self) -> None:
        """What a webhook of the git host tells it: it looks at the branch now."""
        for name in (self.slots, self.edge):
            words = ("annotate", "--overwrite", "application", name, f"{REFRESH}=normal")
            self.cluster.must("--namespace", argocd.NAMESPACE, *words)

    def operation(self) -> dict[str, Any]:
        """The last sync of the slots, which may still run."""
        status = argocd.application(self.folder, self.slots).get("status", {})
        return dict(status.get("operationState") or {})

    def revision(self) -> str:
        """The commit that it compared last."""
        status = argocd.application(self.folder, self.slots)["status"]
        return str(status["sync"].get("revision", ""))

    def results(self) -> dict[str, str]:
        """Of the last sync: `Kind name` → what became of it."""
        resources = self.operation().get("syncResult", {}).get("resources", [])
        return {
            f"{one['kind']} {one['name']}": str(one.get("hookPhase") or one.get("status"))
            for one in resources
        }

    def wait(self, commit: str, seconds: float) -> None:
        """Until both are Synced with this commit and Healthy, and nothing runs."""
        self.cluster.until(
            f"Argo CD is done with {commit[:12]}",
            lambda: all(self._done(name, commit) for name in (self.slots, self.edge)),
            seconds=seconds,
        )

    def _done(self, name: str, commit: str) -> bool:
        status = argocd.application(self.folder, name).get("status", {})
        sync, phase = status.get("sync", {}), status.get("operationState", {}).get("phase")
        return (
            (sync.get("status"), sync.get("revision")) == ("Synced", commit)
            and status.get("health", {}).get("status") == "Healthy"
            and phase != "Running"
        )
