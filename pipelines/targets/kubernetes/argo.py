"""What Argo CD says of its last sync of an environment's slots, where it may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.model.errors import SlipwayError
from pipelines.targets.kubernetes.cluster import Cluster
from pipelines.targets.kubernetes.layout import Place

GROUP, KIND, NAMESPACE = "argoproj.io", "Application", "argocd"
ENDED_BADLY = ("Failed", "Error")


def failed_sync(cluster: Cluster, place: Place, commit: str) -> str:
    """Why it gave up on this commit; empty when it did not, or cannot be asked. Its own retries are
    over then: until then the phase is Running."""
    try:
        found, _ = cluster.list(GROUP, KIND, namespace=NAMESPACE)
    except SlipwayError:
        return ""
    for one in found:
        if not _is_of(one.manifest, place):
            continue
        state = (one.manifest.get("status") or {}).get("operationState") or {}
        revision = (state.get("syncResult") or {}).get("revision")
        if state.get("phase") in ENDED_BADLY and revision == commit:
            return f"Argo CD: {one.name}: {state.get('message') or state['phase']}"
    return ""


def _is_of(application: Mapping[str, Any], place: Place) -> bool:
    spec = application.get("spec") or {}
    source, destination = spec.get("source") or {}, spec.get("destination") or {}
    return (
        source.get("targetRevision") == f"env/{place.environment}"
        and source.get("path") == "slots"
        and destination.get("namespace") == place.namespace
    )
