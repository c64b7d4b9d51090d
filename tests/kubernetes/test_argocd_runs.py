"""Argo CD beside the test cluster is the real one: it syncs a repository, heals and prunes."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import argocd
from tests.cluster.folder import Folder
from tests.cluster.standing import Standing
from tests.kubernetes import pods

PERSON = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
SERVE = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=8080)"


def _git(repository: Path, *words: str) -> None:
    subprocess.run(["git", "-C", repository, *PERSON, *words], check=True, capture_output=True)


def _commit(repository: Path, *documents: str) -> None:
    (repository / "all.yaml").write_text("\n---\n".join(documents), "utf-8")
    _git(repository, "add", ".")
    _git(repository, "commit", "--quiet", "-m", "Change it")


def _settings(namespace: str, value: str) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": namespace},
            "data": {"value": value},
        }
    )


def _application(name: str, repository: Path, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": argocd.NAMESPACE},
        "spec": {
            "project": "default",
            "source": {"repoURL": f"file://{repository}", "path": ".", "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
        },
    }


@pytest.fixture
def synced(
    tmp_path: Path, argo_cd: Folder, real_cluster: Standing, real_namespace: str, base_image: str
) -> Iterator[str]:
    """Name of an Application of a config map and a Deployment, Synced and Healthy."""
    name = f"app-{uuid.uuid4().hex[:8]}"
    subprocess.run(["git", "init", "--quiet", "-b", "main", tmp_path], check=True)
    served = pods.deployment(real_namespace, "serve", base_image, SERVE)
    _commit(tmp_path, _settings(real_namespace, "first"), served)
    real_cluster.apply(json.dumps(_application(name, tmp_path, real_namespace)))
    argocd.wait_for(argo_cd, name, seconds=60)
    yield name
    real_cluster.must("-n", argocd.NAMESPACE, "delete", "application", name)


def test_a_repository_becomes_synced_healthy_and_its_pods_run(
    synced: str, argo_cd: Folder, real_cluster: Standing, real_namespace: str
) -> None:
    ready = ("get", "deployment", "serve", "-o", "jsonpath={.status.readyReplicas}")
    assert real_cluster.must("-n", real_namespace, *ready) == "1"
    assert argocd.application(argo_cd, synced)["status"]["operationState"]["phase"] == "Succeeded"
    assert argocd.cpu_seconds(argo_cd) > 0
    assert set(argocd.rss_bytes(argo_cd)) == set(argocd.PARTS)


def test_what_was_changed_by_hand_is_put_back(
    synced: str, real_cluster: Standing, real_namespace: str
) -> None:
    patch = '{"data":{"value":"by hand"}}'
    real_cluster.must("-n", real_namespace, "patch", "configmap", "settings", f"--patch={patch}")
    value = ("get", "configmap", "settings", "-o", "jsonpath={.data.value}")
    real_cluster.until(
        f"{synced} heals",
        lambda: real_cluster.must("-n", real_namespace, *value) == "first",
        seconds=60,
    )


def test_what_left_the_repository_is_pruned(
    synced: str, tmp_path: Path, argo_cd: Folder, real_cluster: Standing, real_namespace: str
) -> None:
    _commit(tmp_path, _settings(real_namespace, "second"))
    now = "argocd.argoproj.io/refresh=normal"
    real_cluster.must("-n", argocd.NAMESPACE, "annotate", "application", synced, now)
    gone = ("get", "deployment", "serve", "--ignore-not-found", "-o", "name")
    real_cluster.until(
        f"{synced} prunes",
        lambda: real_cluster.must("-n", real_namespace, *gone) == "",
        seconds=60,
    )
    assert argocd.wait_for(argo_cd, synced)["sync"]["status"] == "Synced"
