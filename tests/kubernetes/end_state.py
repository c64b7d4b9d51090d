"""What a release left in a namespace, object by object. Two ways to the same release, Argo CD's and
Slipway's own, must leave the same.

Compared is everything that is applied: labels, annotations, finalizers and all that an object says beside
its status. Left out, because it must differ:

- `metadata` that the API server gives (uid, resourceVersion, generation, creationTimestamp) and who wrote
  which field (managedFields: `argocd-controller` there, `slipway` here); the namespace, and its name
  wherever it stands in a text;
- `status`: where an object is, not what it shall be;
- addresses of Services (clusterIP, clusterIPs), taken from a pool;
- the application's name in tracking ids, which the test made unique: it is written as in the file;
- `deployment.kubernetes.io/revision`: how often a slot was rolled out before;
- of jobs: selector and labels with the job's own uid;
- of hooks: Argo CD's finalizer and tracking id. It marks them to find them again, Slipway does not. And
  hooks of the slot that is not active: they are left of releases before, where there were any.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from tests.kubernetes.surroundings import Surroundings

TRACKING = "argocd.argoproj.io/tracking-id"
HOOK = "argocd.argoproj.io/hook"
_KEPT = ("labels", "annotations", "finalizers")
_ADDRESSES = ("clusterIP", "clusterIPs")
_REVISION = "deployment.kubernetes.io/revision"
_OF_JOBS = (
    *("controller-uid", "batch.kubernetes.io/controller-uid"),
    *("job-name", "batch.kubernetes.io/job-name"),
)
_HOOK_FINALIZER = "argocd.argoproj.io/hook-finalizer"


def end_state(
    around: Surroundings, desired: Collection[Mapping[str, Any]], applications: Mapping[str, str]
) -> dict[str, Any]:
    """`Kind name` → what it says, of every object that an application brought, and of the hooks that
    are desired. `applications`: name that was given → name in the file."""
    wanted = {title(one) for one in desired}
    return {
        title(one): _renamed(_bare(one), around, applications)
        for one in around.get(",".join(sorted(set(map(kind, desired)))))["items"]
        if _counts(one, wanted)
    }


def kind(one: Mapping[str, Any]) -> str:
    """As kubectl wants it: `Deployment.v1.apps`."""
    group, _, version = one["apiVersion"].rpartition("/")
    return f"{one['kind']}.{version}.{group}"


def title(one: Mapping[str, Any]) -> str:
    return f"{one['kind']} {one['metadata']['name']}"


def _counts(one: Mapping[str, Any], wanted: Collection[str]) -> bool:
    annotations = one["metadata"].get("annotations") or {}
    return title(one) in wanted if HOOK in annotations else TRACKING in annotations


def _bare(one: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: one["metadata"].get(key) or {} for key in _KEPT}
    annotations = {k: v for k, v in metadata["annotations"].items() if k != _REVISION}
    if HOOK in annotations:
        annotations.pop(TRACKING, None)
        metadata["finalizers"] = [f for f in metadata["finalizers"] if f != _HOOK_FINALIZER]
    metadata["annotations"] = annotations
    metadata["finalizers"] = list(metadata["finalizers"])
    rest = {key: value for key, value in one.items() if key not in ("metadata", "status")}
    if one["kind"] == "Service":
        rest["spec"] = {k: v for k, v in rest["spec"].items() if k not in _ADDRESSES}
    if one["kind"] == "Job":
        rest["spec"] = _job(rest["spec"])
        metadata["labels"] = _without(metadata["labels"], _OF_JOBS)
    return {"metadata": metadata, **rest}


def _job(spec: Mapping[str, Any]) -> dict[str, Any]:
    template = dict(spec["template"])
    metadata = template["metadata"]
    template["metadata"] = {**metadata, "labels": _without(metadata["labels"], _OF_JOBS)}
    return {**_without(spec, ("selector",)), "template": template}


def _without(mapping: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}


def _renamed(one: Any, around: Surroundings, applications: Mapping[str, str]) -> Any:
    text = json.dumps(one, sort_keys=True)
    for given, name in applications.items():
        text = text.replace(given, name)
    return json.loads(text.replace(around.namespace, "NAMESPACE"))


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """In words, one line for each value that is not the same in both."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for key in sorted({*one, *other})
            for line in differences(one.get(key), other.get(key), f"{path}/{key}")
        ]
    return [] if one == other else [f"{path}: {json.dumps(one)} / {json.dumps(other)}"]
