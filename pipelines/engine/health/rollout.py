"""Rollout of Argo Rollouts, by the rules that Argo CD ships for it."""

from __future__ import annotations

from typing import Any

from pipelines.engine.health.look import (
    annotation,
    conditions,
    degraded,
    field,
    flag,
    healthy,
    length,
    number,
    optional_number,
    progressing,
    suspended,
    text,
    unknown,
)
from pipelines.model.live import Health
from pipelines.model.resource import Manifest
from pipelines.model.sync import ResourceHealth

WAITING = "Waiting for roll out to finish:"
STOPPED = frozenset({"RolloutAborted", "ProgressDeadlineExceeded"})


def rollout(manifest: Manifest) -> ResourceHealth:
    if not _observed(manifest):
        return progressing("Waiting for rollout spec update to be observed")
    phase = field(manifest, "status", "phase")
    if phase is not None:
        return _told(str(phase), text(manifest, "status", "message"))
    # Before version 1.0 the controller wrote no phase: it is worked out.
    for condition in conditions(manifest):
        kind, reason = condition.get("type"), condition.get("reason")
        if kind == "InvalidSpec" or (kind == "Progressing" and reason in STOPPED):
            return degraded(text(condition, "message"))
    if length(manifest, "status", "pauseConditions") or flag(manifest, "spec", "paused"):
        return suspended("Rollout is paused")
    if field(manifest, "status", "currentPodHash") is None:
        return progressing("Waiting for rollout to finish: status has not been reconciled.")
    return _replicas(manifest) or _strategy(manifest) or healthy()


def _told(phase: str, message: str) -> ResourceHealth:
    if phase == "Paused":
        return suspended(message)
    if phase not in list(Health):
        return unknown("Lua returned an invalid health status")
    return ResourceHealth(Health(phase), message)


def _observed(manifest: Manifest) -> bool:
    """Version 0.9 wrote a hash, which is no number; that counts as observed."""
    if field(manifest, "status") is None:
        return False
    seen = _digits(field(manifest, "status", "observedGeneration"))
    generation = number(manifest, "metadata", "generation")
    if seen is not None and seen < generation:
        return False
    if field(manifest, "spec", "workloadRef") is None:
        return True
    wanted = annotation(manifest, "rollout.argoproj.io/workload-generation")
    return field(manifest, "metadata", "annotations") is None or _digits(wanted) == _digits(
        field(manifest, "status", "workloadObservedGeneration")
    )


def _digits(value: Any) -> int | None:
    return int(value) if str(value).isascii() and str(value).isdigit() else None


def _replicas(manifest: Manifest) -> ResourceHealth | None:
    wanted = optional_number(manifest, "spec", "replicas")
    updated = number(manifest, "status", "updatedReplicas")
    if updated < (1 if wanted is None else wanted):
        return progressing(f"{WAITING} More replicas need to be updated")
    if number(manifest, "status", "availableReplicas") < updated:
        return progressing(f"{WAITING} updated replicas are still becoming available")
    return None


def _strategy(manifest: Manifest) -> ResourceHealth | None:
    current = text(manifest, "status", "currentPodHash")
    stable = text(manifest, "status", "stableRS") or text(manifest, "status", "canary", "stableRS")
    if field(manifest, "spec", "strategy", "blueGreen") is not None:
        if text(manifest, "status", "blueGreen", "activeSelector") != current:
            return progressing("active service cutover pending")
        if stable not in ("", current):
            return progressing("waiting for analysis to complete")
    elif field(manifest, "spec", "strategy", "canary") is not None:
        if number(manifest, "status", "replicas") > number(manifest, "status", "updatedReplicas"):
            return progressing(f"{WAITING} old replicas are pending termination")
        if stable != current:
            return progressing("Waiting for rollout to finish steps")
    return None
