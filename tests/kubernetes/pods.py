"""Pods that the restricted standard lets in, running Python from the base image."""

from __future__ import annotations

import json
from typing import Any

SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
POD_SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def spec(image: str, code: str, cpu: str = "10m") -> dict[str, Any]:
    """One container that runs `code` in Python."""
    return {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 1,
        "securityContext": POD_SECURITY,
        "containers": [
            {
                "name": "main",
                "image": image,
                "imagePullPolicy": "Never",
                "command": ["python3", "-u", "-c", code],
                "securityContext": SECURITY,
                "resources": {"requests": {"cpu": cpu, "memory": "20Mi"}},
            }
        ],
    }


def pod(namespace: str, name: str, image: str, code: str) -> str:
    """A pod that runs once, as JSON."""
    content = {**spec(image, code), "restartPolicy": "Never"}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace},
            "spec": content,
        }
    )


def deployment(namespace: str, name: str, image: str, code: str, cpu: str = "10m") -> str:
    """A Deployment of one replica, label `app`, as JSON."""
    labels = {"app": name}
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": spec(image, code, cpu)},
            },
        }
    )


def service(namespace: str, name: str, port: int) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": port}]},
        }
    )
