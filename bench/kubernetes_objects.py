"""What the figures of a sync are measured with: many small objects, and some of ten kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from pipelines.model.resource import Resource

TEXT_BYTES = 500
LABELS = {"app": "bench"}


def config_maps(count: int, word: str = "x") -> list[Resource]:
    """Each about half a kilobyte."""
    return [
        _of("v1", "ConfigMap", f"values-{n:05}", data={"k": word * TEXT_BYTES})
        for n in range(count)
    ]


def ten_kinds(count: int) -> list[Resource]:
    """`count` objects in equal parts; workloads without pods, so that no kubelet is measured."""
    makers = list(MAKERS.values())
    return [makers[n % len(makers)](f"object-{n:05}") for n in range(count)]


def workloads(count: int) -> list[Resource]:
    """Deployments only: the largest objects that an application usually has."""
    return [MAKERS["Deployment"](f"workload-{n:05}") for n in range(count)]


SETS: Mapping[str, Callable[[int], list[Resource]]] = {
    "config-maps": config_maps,
    "ten-kinds": ten_kinds,
    "workloads": workloads,
}


def as_yaml(resources: list[Resource]) -> str:
    """One text of many documents, as the branch of an environment has it."""
    return yaml.safe_dump_all([dict(resource.manifest) for resource in resources])


def _of(api: str, kind: str, name: str, **body: Any) -> Resource:
    metadata = {"name": name, "labels": LABELS}
    manifest = {"apiVersion": api, "kind": kind, "metadata": metadata, **body}
    return Resource(manifest, f"{kind} {name}")


def _template(name: str, policy: str = "Always") -> dict[str, Any]:
    container = {
        "name": "main",
        "image": "registry.invalid/none:1",
        "env": [{"name": "NAME", "value": name}],
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}},
    }
    spec = {"restartPolicy": policy, "containers": [container]}
    return {"metadata": {"labels": {**LABELS, "name": name}}, "spec": spec}


def _selector(name: str) -> dict[str, Any]:
    return {"matchLabels": {**LABELS, "name": name}}


RBAC = "rbac.authorization.k8s.io"
MAKERS: Mapping[str, Callable[[str], Resource]] = {
    "ConfigMap": lambda name: _of("v1", "ConfigMap", name, data={"k": "x" * TEXT_BYTES}),
    "Secret": lambda name: _of("v1", "Secret", name, data={"k": "eHl6"}),
    "ServiceAccount": lambda name: _of("v1", "ServiceAccount", name),
    "Service": lambda name: _of(
        "v1", "Service", name, spec={"selector": LABELS, "ports": [{"name": "http", "port": 80}]}
    ),
    "Role": lambda name: _of(
        f"{RBAC}/v1", "Role", name,
        rules=[{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}],
    ),
    "RoleBinding": lambda name: _of(
        f"{RBAC}/v1", "RoleBinding", name,
        roleRef={"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"},
        subjects=[{"kind": "ServiceAccount", "name": "default", "namespace": "default"}],
    ),
    "Deployment": lambda name: _of(
        "apps/v1", "Deployment", name,
        spec={"replicas": 0, "selector": _selector(name), "template": _template(name)},
    ),
    "CronJob": lambda name: _of(
        "batch/v1", "CronJob", name,
        spec={"schedule": "0 0 1 1 *", "suspend": True,
              "jobTemplate": {"spec": {"template": _template(name, "Never")}}},
    ),
    "NetworkPolicy": lambda name: _of(
        "networking.k8s.io/v1", "NetworkPolicy", name,
        spec={"podSelector": _selector(name), "policyTypes": ["Ingress"]},
    ),
    "PodDisruptionBudget": lambda name: _of(
        "policy/v1", "PodDisruptionBudget", name,
        spec={"minAvailable": 1, "selector": _selector(name)},
    ),
}  # fmt: skip
