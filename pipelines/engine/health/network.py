"""Service, Ingress and what Argo CD judges of the Gateway API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipelines.engine.health.look import (
    degraded,
    field,
    healthy,
    items,
    length,
    optional_number,
    progressing,
    text,
)
from pipelines.model.resource import Manifest
from pipelines.model.sync import ResourceHealth

Conditions = Sequence[Mapping[str, Any]]


def service(manifest: Manifest) -> ResourceHealth:
    """Only a load balancer can be unfinished: it waits for its address."""
    if text(manifest, "spec", "type") == "LoadBalancer" and not _addresses(manifest):
        return progressing()
    return healthy()


def ingress(manifest: Manifest) -> ResourceHealth:
    return healthy() if _addresses(manifest) else progressing()


def _addresses(manifest: Manifest) -> int:
    return length(manifest, "status", "loadBalancer", "ingress")


def gateway(manifest: Manifest) -> ResourceHealth:
    own = field(manifest, "status", "conditions")
    listeners = items(manifest, "status", "listeners")
    found = _judge(items(manifest, "status", "conditions"), "Gateway", "") if own else None
    for listener in listeners:
        found = found or _judge(items(listener, "conditions"), "Listener", "Listener: ")
    if found:
        return found
    if own is not None or listeners:
        return healthy("Gateway is healthy")
    return progressing("Waiting for Gateway status")


def route(kind: str, *, by_generation: bool) -> Callable[[Manifest], ResourceHealth]:
    """The check of HTTPRoute or GRPCRoute; the former trusts only words about its newest version."""

    def check(manifest: Manifest) -> ResourceHealth:
        parents = items(manifest, "status", "parents")
        wanted = optional_number(manifest, "metadata", "generation") if by_generation else None
        known = [
            (parent, conditions)
            for parent in parents
            if (conditions := items(parent, "conditions")) and _current(conditions, wanted)
        ]
        for parent, conditions in known:
            words = f"Parent {text(parent, 'parentRef', 'name')}: "
            if found := _judge(conditions, "Route", words):
                return found
        if known:
            return healthy(f"{kind} is healthy")
        return progressing(f"Waiting for {kind} status")

    return check


def _current(conditions: Conditions, generation: int | None) -> bool:
    """Whether nothing is said about an older version."""
    seen = (optional_number(condition, "observedGeneration") for condition in conditions)
    return generation is None or all(value in (None, generation) for value in seen)


def _judge(conditions: Conditions, what: str, words: str) -> ResourceHealth | None:
    for kind in ("ResolvedRefs", "Accepted"):
        for condition in conditions:
            if condition.get("type") == kind and condition.get("status") == "False":
                return degraded(words + (_message(condition) or f"Failed condition: {kind}"))
    for condition in conditions:
        if condition.get("type") == "Programmed" and condition.get("status") != "True":
            return progressing(words + (_message(condition) or f"{what} is still being programmed"))
    return None


def _message(condition: Mapping[str, Any]) -> str:
    return text(condition, "message")
