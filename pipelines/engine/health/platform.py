"""PersistentVolumeClaim, APIService and CustomResourceDefinition, by Argo CD's rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.engine.health.look import (
    Unreadable,
    conditions,
    degraded,
    field,
    healthy,
    of_type,
    progressing,
    text,
    unknown,
)
from pipelines.model.resource import Manifest
from pipelines.model.sync import ResourceHealth

CLAIMS = {"Bound": healthy, "Pending": progressing, "Lost": degraded}


def volume_claim(manifest: Manifest) -> ResourceHealth:
    return CLAIMS.get(text(manifest, "status", "phase"), unknown)()


def api_service(manifest: Manifest) -> ResourceHealth:
    available = next(of_type(manifest, "Available"), None)
    if available is None:
        return progressing("Waiting to be processed")
    words = f"{text(available, 'reason')}: {text(available, 'message')}"
    return healthy(words) if available.get("status") == "True" else progressing(words)


def definition(manifest: Manifest) -> ResourceHealth:
    if field(manifest, "metadata", "deletionTimestamp"):
        return progressing("CRD is terminating")
    if field(manifest, "status") is None:
        raise Unreadable("the definition has no status")
    seen = conditions(manifest)
    if not seen:
        return progressing("Status conditions not found")
    if found := next(filter(None, map(_trouble, seen)), None):
        return found
    if not any(_is(condition, "Established", "True") for condition in seen):
        return degraded("CRD is not established")
    return healthy("CRD is healthy")


def _trouble(condition: Mapping[str, Any]) -> ResourceHealth | None:
    message = text(condition, "message")
    if _is(condition, "Terminating", "True"):
        return progressing(f"CRD is terminating: {message}")
    if _is(condition, "NamesAccepted", "False"):
        return degraded(f"CRD names have not been accepted: {message}")
    if _is(condition, "NonStructuralSchema", "True"):
        return degraded(f"Schema violations found: {message}")
    installing = condition.get("type") == "Established" and condition.get("status") != "True"
    if installing and condition.get("reason") == "Installing":
        return progressing("CRD is being installed")
    return None


def _is(condition: Mapping[str, Any], kind: str, status: str) -> bool:
    return condition.get("type") == kind and condition.get("status") == status
