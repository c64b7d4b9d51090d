"""Pod specs wherever a kind keeps them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.model.resource import Resource

_TEMPLATES = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
)
_LISTS = ("initContainers", "containers", "ephemeralContainers")


def pod_spec(resource: Resource) -> Mapping[str, Any] | None:
    """None of an object that starts no pods. One that should have a spec and has none is empty."""
    if resource.kind == "Pod":
        return at(resource.manifest, "spec")
    if resource.kind in _TEMPLATES:
        return at(resource.manifest, "spec", "template", "spec")
    if resource.kind == "CronJob":
        return at(resource.manifest, "spec", "jobTemplate", "spec", "template", "spec")
    return None


def containers(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All of them, those that run first too."""
    for name in _LISTS:
        yield from items(spec.get(name))


def at(value: Any, *path: str) -> Mapping[str, Any]:
    """The mapping there, empty when there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """The texts of a list; whatever else stands there is left to the API server's own refusal."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
