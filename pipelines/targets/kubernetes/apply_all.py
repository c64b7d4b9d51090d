"""Applying the few objects of a slot or an edge, and removing what they do not have any more.

The order matters for one thing alone: what pods mount and run as comes before the pods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.engine.sync.tracking import owner
from pipelines.model.errors import Refused, SlipwayError, Unavailable
from pipelines.model.resource import Resource
from pipelines.targets.kubernetes.cluster import ApiRefused, Cluster
from pipelines.targets.kubernetes.layout import Place

BEFORE_PODS = ("ServiceAccount", "NetworkPolicy", "Secret", "ConfigMap", "Service")
PRUNED = (
    *(("apps", "Deployment"), ("", "ConfigMap"), ("", "ServiceAccount")),
    *(("autoscaling", "HorizontalPodAutoscaler"), ("policy", "PodDisruptionBudget")),
    ("networking.k8s.io", "NetworkPolicy"),
)
WORTH_ANOTHER_TRY = ("Conflict", "TooManyRequests", "ServerTimeout", "Timeout", "InternalError")


class ApplyAll:
    """Implements ports.Syncer."""

    def __init__(self, place: Place, cluster: Cluster) -> None:
        self.place, self.cluster = place, cluster

    def sync(self, desired: Sequence[Resource], labels: Mapping[str, str]) -> None:
        applied: list[str] = []
        for one in sorted(desired, key=_rank):
            try:
                self.cluster.apply(one.manifest)
            except ApiRefused as refused:
                raise self._failed(one, refused, applied, len(desired)) from refused
            applied.append(str(one.key))
        if labels:
            self.prune(labels, keep=desired)

    def prune(self, labels: Mapping[str, str], *, keep: Sequence[Resource]) -> None:
        """Everything of ours with these labels, but for what is kept."""
        kept = {one.key for one in keep}
        for group, kind in PRUNED:
            found, _ = self.cluster.list(group, kind, namespace=self.place.namespace, labels=labels)
            for one in found:
                said = owner(one)
                if one.key not in kept and said and self.place.is_ours(said):
                    self.cluster.delete(one.key)

    def _failed(
        self, one: Resource, refused: ApiRefused, applied: Sequence[str], total: int
    ) -> SlipwayError:
        done = ", ".join(applied) or "nothing"
        words = f"{one.key} cannot be applied: {refused.message}; applied before it: {done}"
        words += f"; {total - len(applied)} of {total} objects were not"
        if refused.reason in WORTH_ANOTHER_TRY:
            return Unavailable(words)
        return Refused(words, hint=refused.hint or f"origin: {one.origin}")


def _rank(resource: Resource) -> tuple[int, str]:
    kinds = BEFORE_PODS
    return (kinds.index(resource.kind) if resource.kind in kinds else len(kinds), resource.name)
