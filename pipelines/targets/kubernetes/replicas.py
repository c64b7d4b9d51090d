"""Whose word the number of pods is: an autoscaler's or a person's who wants more, not the manifests'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.model.resource import Resource
from pipelines.model.sync import IgnoreRule
from pipelines.targets.kubernetes.live_store import LiveStore
from pipelines.targets.kubernetes.pods import desired_replicas

REPLICAS = "/spec/replicas"
AUTOSCALERS = ("autoscaling", "HorizontalPodAutoscaler")


def ignored_replicas(desired: Sequence[Resource], store: LiveStore) -> tuple[IgnoreRule, ...]:
    """What live has counts where an autoscaler has it or where it is more than wanted. A workload
    at 0 is none of that: an autoscaler leaves it alone then."""
    scaled = set(_scaled(desired, store))
    return tuple(
        IgnoreRule(one.group, one.kind, one.name, one.namespace, (REPLICAS,))
        for one in desired
        if one.kind == "Deployment" and _is_theirs(one, store.get(one.key), scaled)
    )


def _is_theirs(desired: Resource, live: Resource | None, scaled: set[tuple[str, str]]) -> bool:
    count = desired_replicas(live) if live else 0
    if count <= 0:
        return False
    return (desired.kind, desired.name) in scaled or count >= desired_replicas(desired)


def _scaled(desired: Sequence[Resource], store: LiveStore) -> Iterator[tuple[str, str]]:
    """Kind and name of what autoscalers scale."""
    for namespace in {one.namespace for one in desired}:
        for key in store.keys(*AUTOSCALERS, namespace):
            live = store.get(key)
            target = (live.manifest.get("spec") or {}).get("scaleTargetRef") if live else None
            if target:
                yield str(target.get("kind")), str(target.get("name"))


def with_replicas(deployment: Resource, replicas: int) -> Resource:
    spec = {**deployment.manifest["spec"], "replicas": replicas}
    return Resource({**deployment.manifest, "spec": spec}, deployment.origin)
