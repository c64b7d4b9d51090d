"""HorizontalPodAutoscaler and PodDisruptionBudget, by Argo CD's rules and messages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.engine.health.look import (
    Unreadable,
    annotation,
    conditions,
    degraded,
    healthy,
    progressing,
    text,
)
from pipelines.model.resource import Manifest
from pipelines.model.sync import ResourceHealth

# autoscaling/v1 has no conditions; the server writes those of v2 here.
V1_CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
DEGRADED = frozenset({
    ("AbleToScale", "FailedGetScale"),
    ("AbleToScale", "FailedUpdateScale"),
    ("ScalingActive", "FailedGetResourceMetric"),
    ("ScalingActive", "FailedGetObjectMetric"),
    ("ScalingActive", "FailedGetPodsMetric"),
    ("ScalingActive", "FailedGetExternalMetric"),
    ("ScalingActive", "FailedComputeMetricsReplicas"),
    ("ScalingActive", "InvalidSelector"),
})  # fmt: skip
HEALTHY = ("AbleToScale", "ScalingLimited")


def autoscaler(manifest: Manifest) -> ResourceHealth:
    seen = conditions(manifest)
    if manifest.get("apiVersion") == "autoscaling/v1":
        seen = _of_annotation(manifest)
    for condition in seen:
        if (text(condition, "type"), text(condition, "reason")) in DEGRADED:
            return degraded(text(condition, "message"))
    for condition in seen:
        if condition.get("type") in HEALTHY and condition.get("status") == "True":
            return healthy(text(condition, "message"))
    return progressing("Waiting to Autoscale")


def _of_annotation(manifest: Manifest) -> Sequence[Mapping[str, Any]]:
    written = annotation(manifest, V1_CONDITIONS)
    try:
        read = json.loads(written) if written is not None else []
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"failed to convert conditions annotation to typed: {error}") from None
    if not isinstance(read, list) or not all(isinstance(item, dict) for item in read):
        raise Unreadable("failed to convert conditions annotation to typed: no list of mappings")
    return read


def disruption_budget(manifest: Manifest) -> ResourceHealth:
    """Too few pods can be what its owner wants: one replica and `minAvailable: 1`."""
    seen = conditions(manifest)
    for condition in seen:
        if condition.get("status") == "False" and condition.get("reason") != "InsufficientPods":
            return degraded(_words(condition))
    return healthy(_words(seen[-1])) if seen else progressing("Waiting for status")


def _words(condition: Mapping[str, Any]) -> str:
    return f"PodDisruptionBudget has {text(condition, 'reason')}"
