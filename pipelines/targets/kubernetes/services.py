"""What outlives a release on a cluster: namespace, Services in front of the slots, services such as
a venue. Slipway makes the second; the others are installed once, by people or by Pulumi."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.model.errors import Unavailable
from pipelines.model.live import Health, Mend
from pipelines.model.release import Release
from pipelines.model.resource import Resource, ResourceKey
from pipelines.targets.kubernetes.cluster import ApiRefused, Cluster
from pipelines.targets.kubernetes.layout import COMPONENT_LABEL, EDGE, Place
from pipelines.targets.kubernetes.mending import mends
from pipelines.targets.kubernetes.ports import Manifests, Syncer
from pipelines.targets.kubernetes.traffic import Traffic
from pipelines.targets.local.ports import Rows

WORKLOADS = ("StatefulSet", "Deployment")


class ServiceKeeper:
    def __init__(
        self,
        place: Place,
        cluster: Cluster,
        manifests: Manifests,
        syncer: Syncer,
        rows: Rows,
        traffic: Traffic,
    ) -> None:
        self.place, self.cluster, self.manifests = place, cluster, manifests
        self.syncer, self.rows, self.traffic = syncer, rows, traffic

    def ensure(self, release: Release) -> None:
        """Raises Unavailable naming what is missing and who installs it."""
        self.need_namespace()
        self.rows.apply_schema()
        self.apply_edge(release)
        self.need_services(release)

    def need_services(self, release: Release) -> None:
        """Raises Unavailable naming the first that nobody installed."""
        missing = [name for name, health in self.health(release).items() if health in _AWAY]
        if missing:
            raise Unavailable(
                f"{', '.join(missing)} of {self.place.environment} does not run in namespace"
                f" {self.place.namespace}",
                hint=f"it is installed once: helm install {missing[0]} charts/{missing[0]}"
                f" --namespace {self.place.namespace}",
            )

    def need_namespace(self) -> None:
        key = ResourceKey("", "Namespace", "", self.place.namespace)
        try:
            found = self.cluster.get(key)
        except ApiRefused as refused:
            if refused.reason == "Forbidden":
                return  # it may be there without being ours to see
            raise
        if found is None:
            raise Unavailable(
                f"the cluster has no namespace {self.place.namespace}",
                hint=f"it is made before: pulumi up --stack {self.place.environment},"
                f" or kubectl create namespace {self.place.namespace}",
            )
        if found.metadata.get("deletionTimestamp"):
            raise Unavailable(f"namespace {self.place.namespace} is being deleted")

    def apply_edge(self, release: Release) -> None:
        """The Services lead where the row says, whatever the manifests name."""
        desired = self.manifests.edge(release)
        self.syncer.sync(EDGE, self._ready(desired))
        self.traffic.keep_processes(desired)
        row = self.rows.read().row
        if row is not None and self.traffic.slot() is not row.slot:
            self.traffic.give(row.slot)

    def drift(self, release: Release) -> Sequence[Mend]:
        """What a hand changed in front of the slots. Who is selected is the row's matter."""
        return mends(self.syncer, self.cluster, EDGE, self._ready(self.manifests.edge(release)))

    def _ready(self, desired: Sequence[Resource]) -> Sequence[Resource]:
        return [
            self.traffic.without_slot(one) if self.traffic.is_ours(one) else one for one in desired
        ]

    def health(self, release: Release) -> Mapping[str, Health]:
        return {one.name: self._one(one.name) for one in release.application.services}

    def _one(self, name: str) -> Health:
        for kind in WORKLOADS:
            found, _ = self.cluster.list(
                "apps", kind, namespace=self.place.namespace, labels={COMPONENT_LABEL: name}
            )
            if found:
                return _workload_health(found[0])
        return Health.MISSING


_AWAY = (Health.MISSING,)


def _workload_health(workload: Resource) -> Health:
    status = workload.manifest.get("status") or {}
    wanted = (workload.manifest.get("spec") or {}).get("replicas", 1)
    if wanted == 0:
        return Health.SUSPENDED
    return Health.HEALTHY if int(status.get("readyReplicas") or 0) >= 1 else Health.DEGRADED
