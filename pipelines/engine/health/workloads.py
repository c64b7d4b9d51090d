"""Deployment, ReplicaSet, StatefulSet and DaemonSet.

Rules and messages are those of Argo CD (gitops-engine, `pkg/health`), which follow
`kubectl rollout status`.
"""

from __future__ import annotations

from pipelines.engine.health.look import (
    behind,
    degraded,
    flag,
    healthy,
    mapping,
    name_of,
    number,
    of_type,
    optional_number,
    progressing,
    suspended,
    text,
)
from pipelines.model.resource import Manifest
from pipelines.model.sync import ResourceHealth

WAITING = "Waiting for rollout to finish:"


def deployment(manifest: Manifest) -> ResourceHealth:
    if flag(manifest, "spec", "paused"):
        return suspended("Deployment is paused")
    if behind(manifest):
        return progressing(f"{WAITING} observed deployment generation less than desired generation")
    condition = next(of_type(manifest, "Progressing"), {})
    if condition.get("reason") == "ProgressDeadlineExceeded":
        return degraded(f'Deployment "{name_of(manifest)}" exceeded its progress deadline')
    wanted = optional_number(manifest, "spec", "replicas")
    updated = number(manifest, "status", "updatedReplicas")
    old = number(manifest, "status", "replicas") - updated
    available = number(manifest, "status", "availableReplicas")
    if wanted is not None and updated < wanted:
        return progressing(f"{WAITING} {updated} out of {wanted} new replicas have been updated...")
    if old > 0:
        return progressing(f"{WAITING} {old} old replicas are pending termination...")
    if available < updated:
        return progressing(f"{WAITING} {available} of {updated} updated replicas are available...")
    return healthy()


def replica_set(manifest: Manifest) -> ResourceHealth:
    if behind(manifest):
        return progressing(
            f"{WAITING} observed replica set generation less than desired generation"
        )
    failure = next(of_type(manifest, "ReplicaFailure"), {})
    if failure.get("status") == "True":
        return degraded(text(failure, "message"))
    wanted = optional_number(manifest, "spec", "replicas")
    available = number(manifest, "status", "availableReplicas")
    if wanted is not None and available < wanted:
        return progressing(f"{WAITING} {available} out of {wanted} new replicas are available...")
    return healthy()


def stateful_set(manifest: Manifest) -> ResourceHealth:
    if number(manifest, "status", "observedGeneration") == 0 or behind(manifest):
        return progressing("Waiting for statefulset spec update to be observed...")
    wanted = optional_number(manifest, "spec", "replicas")
    ready = number(manifest, "status", "readyReplicas")
    if wanted is not None and ready < wanted:
        return progressing(f"Waiting for {wanted - ready} pods to be ready...")
    strategy = mapping(manifest, "spec", "updateStrategy")
    kind = text(strategy, "type")
    if kind == "RollingUpdate" and strategy.get("rollingUpdate") is not None:
        return _partitioned(manifest, wanted)
    if kind == "OnDelete":
        return healthy(f"statefulset has {ready} ready pods")
    current, update = (
        text(manifest, "status", f"{word}Revision") for word in ("current", "update")
    )
    if current != update:
        updated = number(manifest, "status", "updatedReplicas")
        return progressing(
            f"waiting for statefulset rolling update to complete {updated} pods "
            f"at revision {update}..."
        )
    running = number(manifest, "status", "currentReplicas")
    return healthy(f"statefulset rolling update complete {running} pods at revision {current}...")


def _partitioned(manifest: Manifest, wanted: int | None) -> ResourceHealth:
    """With `rollingUpdate` set, only pods from the partition on must be new."""
    updated = number(manifest, "status", "updatedReplicas")
    partition = optional_number(manifest, "spec", "updateStrategy", "rollingUpdate", "partition")
    if wanted is not None and partition is not None and updated < wanted - partition:
        return progressing(
            f"Waiting for partitioned roll out to finish: {updated} out of {wanted - partition} "
            "new pods have been updated..."
        )
    return healthy(f"partitioned roll out complete: {updated} new pods have been updated...")


def daemon_set(manifest: Manifest) -> ResourceHealth:
    if behind(manifest):
        return progressing(f"{WAITING} observed daemon set generation less than desired generation")
    wanted = number(manifest, "status", "desiredNumberScheduled")
    updated = number(manifest, "status", "updatedNumberScheduled")
    if text(manifest, "spec", "updateStrategy", "type") == "OnDelete":
        return healthy(f"daemon set {updated} out of {wanted} new pods have been updated")
    waiting = f'Waiting for daemon set "{name_of(manifest)}" rollout to finish:'
    if updated < wanted:
        return progressing(f"{waiting} {updated} out of {wanted} new pods have been updated...")
    available = number(manifest, "status", "numberAvailable")
    if available < wanted:
        return progressing(f"{waiting} {available} of {wanted} updated pods are available...")
    return healthy()
