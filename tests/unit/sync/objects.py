"""Short ways to write objects, and a cluster that does what a plan says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.engine.sync.plan import plan
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import Action, PlanStep, SyncPlan, SyncSettings

NAMESPACE = "shop"
SETTINGS = SyncSettings("", NAMESPACE, prune=True)
VERSIONS = {"Deployment": "apps/v1", "Job": "batch/v1", "StatefulSet": "apps/v1",
            "ClusterRole": "rbac.authorization.k8s.io/v1",
            "RoleBinding": "rbac.authorization.k8s.io/v1", "Role": "rbac.authorization.k8s.io/v1",
            "CustomResourceDefinition": "apiextensions.k8s.io/v1"}  # fmt: skip
CLUSTER_WIDE = ("Namespace", "ClusterRole", "CustomResourceDefinition")


def thing(
    kind: str = "ConfigMap", name: str = "a", *, wave: int | None = None, options: str = "",
    hook: str = "", policy: str = "", notes: Mapping[str, str] | None = None, api: str = "",
    namespace: str | None = None, meta: Mapping[str, Any] | None = None, **body: Any,
) -> Resource:  # fmt: skip
    written = {
        "argocd.argoproj.io/sync-wave": "" if wave is None else str(wave),
        "argocd.argoproj.io/sync-options": options,
        "argocd.argoproj.io/hook": hook,
        "argocd.argoproj.io/hook-delete-policy": policy,
        **(notes or {}),
    }
    metadata: dict[str, Any] = {"name": name}
    if kind not in CLUSTER_WIDE:
        metadata["namespace"] = NAMESPACE if namespace is None else namespace
    if given := {key: text for key, text in written.items() if text}:
        metadata["annotations"] = given
    return Resource(
        {
            "apiVersion": api or VERSIONS.get(kind, "v1"),
            "kind": kind,
            "metadata": {**metadata, **(meta or {})},
            **body,
        },
        f"{kind} {name}",
    )


def live_of(*resources: Resource) -> dict[ResourceKey, Resource]:
    return {one.key: one for one in resources}


def planned(
    desired: Iterable[Resource], live: Iterable[Resource] = (), settings: SyncSettings = SETTINGS
) -> SyncPlan:
    return plan(list(desired), live_of(*live), settings)


def said(made: SyncPlan) -> list[str]:
    """`Sync/0 create ConfigMap/a` for each step."""
    return [line(step) for step in made.steps]


def line(step: PlanStep) -> str:
    return f"{step.phase}/{step.wave} {step.action} {step.key.kind}/{step.key.name}"


def actions(made: SyncPlan) -> dict[str, str]:
    return {f"{step.key.kind}/{step.key.name}": step.action.value for step in made.steps}


def after(made: SyncPlan, live: Mapping[ResourceKey, Resource]) -> dict[ResourceKey, Resource]:
    """What lives when everything of a plan was done (hooks leave nothing behind)."""
    there = dict(live)
    for step in made.steps:
        if step.action is Action.PRUNE:
            del there[step.key]
        elif step.action in (Action.CREATE, Action.CHANGE, Action.REPLACE):
            assert step.desired is not None
            there[step.key] = step.desired
    return there
