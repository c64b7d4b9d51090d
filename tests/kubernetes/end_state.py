"""What a release left in a namespace, object by object, without what names it, when, and by whom.

Two ways to the same release must leave the same: Argo CD's and Slipway's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.kubernetes.town import Town

KINDS = (
    *(
        "deployments.apps",
        "services",
        "configmaps",
        "serviceaccounts",
        "poddisruptionbudgets.policy",
    ),
    *("networkpolicies.networking.k8s.io", "horizontalpodautoscalers.autoscaling"),
)
OURS = "app.kubernetes.io/part-of=trading"
_METADATA = ("labels", "annotations", "finalizers")
_ASSIGNED = ("clusterIP", "clusterIPs")
_OF_ACTORS = (
    "argocd.argoproj.io/tracking-id",
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
)


def end_state(town: Town) -> dict[str, Any]:
    """`Kind name` → what it says, where hooks and what is installed once are left out."""
    found = town.get(",".join(KINDS), "--selector", OURS)["items"]
    return {
        f"{one['kind']} {one['metadata']['name']}": _bare(one, town) for one in found if _part(one)
    }


def _part(one: Mapping[str, Any]) -> bool:
    """Is it of a slot or of the edge?"""
    component = one["metadata"].get("labels", {}).get("app.kubernetes.io/component")
    return component not in ("hook", "database", "venue")


def _bare(one: Mapping[str, Any], town: Town) -> Any:
    metadata = {key: one["metadata"].get(key) or {} for key in _METADATA}
    metadata["annotations"] = {
        key: value for key, value in metadata["annotations"].items() if key not in _OF_ACTORS
    }
    rest = {k: v for k, v in one.items() if k not in ("metadata", "status", "apiVersion", "kind")}
    if isinstance(rest.get("spec"), dict):
        rest["spec"] = {k: v for k, v in rest["spec"].items() if k not in _ASSIGNED}
    text = json.dumps({"metadata": metadata, **rest}, sort_keys=True)
    return json.loads(text.replace(town.namespace, "NAMESPACE"))


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """In words, one line for each object that is not the same in both."""
    return [
        f"{name}: {json.dumps(one.get(name))} / {json.dumps(other.get(name))}"
        for name in sorted({*one, *other})
        if one.get(name) != other.get(name)
    ]
