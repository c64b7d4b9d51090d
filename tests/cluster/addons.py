"""What runs in the cluster: CoreDNS, metrics-server, the default storage class and its volumes."""

from __future__ import annotations

import json
import shutil
import string
import subprocess
from pathlib import Path
from typing import Any

from tests.cluster import images, tools
from tests.cluster.errors import ClusterError, NotReady
from tests.cluster.folder import Facts, Folder

MANIFESTS = Path(__file__).with_name("manifests")
VOLUMES = 32
METRICS_SECONDS = 5


def kubectl(
    folder: Folder, *words: str, feed: str | None = None, seconds: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run kubectl on this cluster; the caller looks at the return code."""
    argv = [str(tools.program("kubectl")), f"--kubeconfig={folder.kubeconfig}", *words]
    return subprocess.run(
        argv, input=feed, capture_output=True, text=True, check=False, timeout=seconds
    )


def _apply(folder: Folder, text: str) -> None:
    done = kubectl(folder, "apply", "--server-side", "--force-conflicts", "-f", "-", feed=text)
    if done.returncode:
        raise ClusterError(f"not applied: {done.stderr.strip()[-800:]}")


def _take_back_volumes(folder: Folder) -> None:
    """Volumes whose claim is gone are emptied and offered again."""
    said = kubectl(folder, "get", "persistentvolumes", "-o", "json")
    for volume in json.loads(said.stdout)["items"] if said.returncode == 0 else []:
        path = Path(volume["spec"].get("hostPath", {}).get("path", "/"))
        if volume["status"].get("phase") == "Released" and path.parent == folder / "volumes":
            kubectl(folder, "delete", "persistentvolume", volume["metadata"]["name"])
            shutil.rmtree(path, ignore_errors=True)


def install(folder: Folder, facts: Facts) -> None:
    """All of them; returns before they are ready."""
    _take_back_volumes(folder)
    values = {
        "COREDNS": images.COREDNS,
        "METRICS_SERVER": images.METRICS_SERVER,
        "METRICS_SECONDS": str(METRICS_SECONDS),
        "DNS_IP": facts.service_ip(10),
    }
    files = sorted(MANIFESTS.glob("*.yaml"))
    texts = [string.Template(file.read_text("utf-8")).substitute(values) for file in files]
    texts += [json.dumps(_volume(folder, number)) for number in range(VOLUMES)]
    _apply(folder, "\n---\n".join(texts))


def _volume(folder: Folder, number: int) -> dict[str, Any]:
    """Ten gigabytes by name; a folder every user may write to, like a fresh disk with an fsGroup."""
    path = folder / f"volumes/{number:02d}"
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o777)
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"local-{number:02d}"},
        "spec": {
            "storageClassName": "local",
            "capacity": {"storage": "10Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": str(path), "type": "Directory"},
        },
    }


def wait(folder: Folder, seconds: int = 60) -> None:
    """Until DNS and metrics answer. Raises NotReady."""
    for words in (
        ("--namespace=kube-system", "rollout", "status", "deployment/coredns"),
        ("--namespace=kube-system", "rollout", "status", "deployment/metrics-server"),
        ("wait", "--for=condition=Available", "apiservice/v1beta1.metrics.k8s.io"),
    ):
        done = kubectl(folder, *words, f"--timeout={seconds}s", seconds=seconds + 10)
        if done.returncode:
            raise NotReady(f"{words[-1]} is not ready: {done.stderr.strip()[-400:]}")
