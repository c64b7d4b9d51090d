"""The second application on a cluster without an image of its own: its code in a config map."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from pipelines.model.release import ProcessSpec, Release
from pipelines.model.slots import Slot
from tests.target_suite.local import SECOND_APP

CODE = "/opt/echo/echo"
USER = 10001


class EchoTexts:
    """`slot_manifests.Texts`: what charts of the second application would render."""

    def __init__(self, environment: str, image: str) -> None:
        self.environment, self.image = environment, image

    def of_slot(self, slot: Slot, release: Release) -> str:
        specs = release.application.processes
        return documents([self._map(slot, release), *(self._run(slot, release, s) for s in specs)])

    def of_edge(self, slot: Slot, release: Release) -> str:
        live = next(s.name for s in release.application.processes if "live" in s.sockets)
        services = {"echo": slot, "echo-preview": slot.other}
        return documents([service(name, live, one) for name, one in services.items()])

    def _labels(self, slot: Slot, release: Release, component: str) -> dict[str, str]:
        return {
            **selector(component, slot),
            "slipway.dev/release": release.id,
            "slipway.dev/environment": self.environment,
        }

    def _map(self, slot: Slot, release: Release) -> dict[str, Any]:
        files = {path.name: path.read_text() for path in code()}
        values = yaml.safe_dump(dict(release.values[self.environment]), sort_keys=True)
        labels = self._labels(slot, release, "settings")
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"echo-{slot}-settings", "labels": labels},
            "data": {**files, "values.yaml": values},
        }

    def _run(self, slot: Slot, release: Release, spec: ProcessSpec) -> dict[str, Any]:
        labels = self._labels(slot, release, spec.name)
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": f"echo-{slot}-{spec.name}", "labels": labels},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": selector(spec.name, slot)},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": self._pod(slot, release, spec),
                },
            },
        }

    def _pod(self, slot: Slot, release: Release, spec: ProcessSpec) -> dict[str, Any]:
        facts = {
            "PYTHONPATH": "/opt/echo",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SLIPWAY_LISTEN": "0.0.0.0:8080",
            "SLIPWAY_TRAFFIC": "row",
            "SLIPWAY_ENVIRONMENT": self.environment,
            "SLIPWAY_SLOT": str(slot),
            "SLIPWAY_RELEASE": release.id,
        }
        probe = {"httpGet": {"path": "/health/ready", "port": "http"}}
        return {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 5,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": spec.name,
                    "image": self.image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["python3", "-m", release.application.module],
                    "args": list(spec.args),
                    "ports": [{"name": "http", "containerPort": 8080}],
                    "env": [{"name": name, "value": value} for name, value in facts.items()],
                    "readinessProbe": {**probe, "periodSeconds": 1, "failureThreshold": 2},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                    # File by file: a mounted config map is a folder with hidden ones in it.
                    "volumeMounts": [
                        {
                            "name": "code",
                            "mountPath": f"{CODE}/{file.name}",
                            "subPath": file.name,
                            "readOnly": True,
                        }
                        for file in code()
                    ],
                }
            ],
            "volumes": [{"name": "code", "configMap": {"name": f"echo-{slot}-settings"}}],
        }


def code() -> list[Path]:
    return sorted((SECOND_APP / "echo").glob("*.py"))


def selector(component: str, slot: Slot) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "echo",
        "app.kubernetes.io/component": component,
        "slipway.dev/slot": str(slot),
    }


def service(name: str, component: str, slot: Slot) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "selector": selector(component, slot),
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    }


def documents(objects: Sequence[dict[str, Any]]) -> str:
    return "\n---\n".join(json.dumps(one) for one in objects)
