"""Pod. Rules and messages are those of Argo CD (gitops-engine, `pkg/health`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.engine.health.look import (
    annotation,
    degraded,
    healthy,
    items,
    mapping,
    number,
    of_type,
    progressing,
    text,
    unknown,
)
from pipelines.engine.sync.hooks import is_hook
from pipelines.engine.sync.notes import IGNORE_RESTARTS
from pipelines.model.resource import Manifest, Resource
from pipelines.model.sync import ResourceHealth


def pod(manifest: Manifest) -> ResourceHealth:
    """A pod that restarts for ever must be ready; one that ends must end well.

    A pod that ends and cannot start yet is only waiting: were it degraded, its hook would be
    judged failed and might still run later.
    """
    lasting = _lasting(manifest)
    containers = items(manifest, "status", "containerStatuses")
    stuck = [text(waiting, "message") for waiting in _stuck(containers)] if lasting else []
    if stuck:
        return degraded(", ".join(stuck))
    phase, message = text(manifest, "status", "phase"), text(manifest, "status", "message")
    if phase == "Pending":
        return progressing(message)
    if phase == "Succeeded":
        return healthy(message)
    if phase == "Failed":
        return degraded(message or _cause(manifest))
    if phase == "Running" and lasting:
        return _running(manifest, containers, message)
    if phase == "Running" and text(manifest, "spec", "restartPolicy") in ("OnFailure", "Never"):
        return progressing(message)
    return unknown(message)


def _lasting(manifest: Manifest) -> bool:
    if text(manifest, "spec", "restartPolicy") == "Always":
        return True
    return annotation(manifest, IGNORE_RESTARTS) == "true" and not is_hook(Resource(manifest))


def _stuck(containers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Waiting states that do not go away by waiting: ErrImagePull, CrashLoopBackOff, …"""
    waiting = [mapping(container, "state", "waiting") for container in containers]
    return [state for state in waiting if _hopeless(text(state, "reason"))]


def _hopeless(reason: str) -> bool:
    return reason.startswith("Err") or reason.endswith(("Error", "BackOff"))


def _running(
    manifest: Manifest, containers: Sequence[Mapping[str, Any]], message: str
) -> ResourceHealth:
    if next(of_type(manifest, "Ready"), {}).get("status") == "True":
        return healthy(message)
    if any(mapping(container, "lastState").get("terminated") for container in containers):
        return degraded(message)
    return progressing(message)


def _cause(manifest: Manifest) -> str:
    """What the first container that failed says of itself; init containers come first."""
    states = [
        *items(manifest, "status", "initContainerStatuses"),
        *items(manifest, "status", "containerStatuses"),
    ]
    return next(filter(None, map(_end_of, states)), "")


def _end_of(container: Mapping[str, Any]) -> str:
    ended = mapping(container, "state", "terminated")
    if said := text(ended, "message"):
        return said
    if text(ended, "reason") == "OOMKilled":
        return "OOMKilled"
    if code := number(ended, "exitCode"):
        return f'container "{text(container, "name")}" failed with exit code {code}'
    return ""
