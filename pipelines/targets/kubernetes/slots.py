"""A slot on a cluster: staged, stopped, healed.

The way back leads through `stop`: it needs nothing but the API server. Deployments that were scaled
to 0 on purpose say so in an annotation, so that a hand that scales one down is seen as drift.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pipelines.model.errors import Unavailable
from pipelines.model.live import Mend
from pipelines.model.release import Release
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.slots import Slot
from pipelines.targets.kubernetes import pods as status
from pipelines.targets.kubernetes.cluster import ApiRefused, Cluster
from pipelines.targets.kubernetes.layout import STOPPED, Place, process_of
from pipelines.targets.kubernetes.mending import mends
from pipelines.targets.kubernetes.observation import Observer, SlotObjects
from pipelines.targets.kubernetes.ports import Manifests, Stock, Syncer
from pipelines.targets.kubernetes.replicas import with_replicas

GRACE_SECONDS = 5
GONE_SECONDS = 15.0
POLL_SECONDS = 0.1


class SlotKeeper:
    def __init__(
        self,
        place: Place,
        cluster: Cluster,
        manifests: Manifests,
        syncer: Syncer,
        observer: Observer,
        stock: Stock,
    ) -> None:
        self.place, self.cluster, self.manifests = place, cluster, manifests
        self.syncer, self.observer, self.stock = syncer, observer, stock

    # --- stage -----------------------------------------------------------------------------------
    def stage(self, slot: Slot, release: Release) -> bool:
        """False when it ran just so already. Raises Refused for what is not ours to change."""
        desired = self.manifests.slot(slot, release)
        found = self.observer.objects(slot)
        if found.release == release.id:
            self._start_now(found)
        if not self.syncer.plan(str(slot), desired) and self.runs(found, release, desired):
            return False
        if found.deployments and found.release != release.id:
            self._stop(found, GRACE_SECONDS)
            self.wait_gone(slot)
        self.syncer.sync(str(slot), self._sized(desired, slot))
        self._started(slot, desired)
        return True

    def _start_now(self, found: SlotObjects) -> None:
        """A pod that Kubernetes lets wait for its next start, minutes in the end, is replaced."""
        for pod in found.every_pod:
            if status.trouble(pod)[1]:
                self.cluster.delete(pod.key, grace_seconds=0)

    def runs(self, found: SlotObjects, release: Release, desired: Sequence[Resource]) -> bool:
        """Exactly this release, every process, and nothing scaled to 0."""
        if found.release != release.id or set(found.deployments) != processes_of(desired):
            return False
        return not any(
            STOPPED in one.annotations or status.desired_replicas(one) <= 0
            for one in found.deployments.values()
        )

    def _sized(self, desired: Sequence[Resource], slot: Slot) -> list[Resource]:
        """As many pods as the active slot has where an autoscaler has made more of them: the
        release must carry what is carried now."""
        other = self.observer.objects(slot.other).deployments
        sized = []
        for one in desired:
            live = other.get(process_of(one)) if one.kind == "Deployment" else None
            wanted = max(status.desired_replicas(one), status.desired_replicas(live) if live else 0)
            sized.append(with_replicas(one, wanted) if live else one)
        return sized

    def _started(self, slot: Slot, desired: Sequence[Resource]) -> None:
        """A stopped slot is scaled up again; the mark goes."""
        wanted = {process_of(one): one for one in desired if one.kind == "Deployment"}
        for name, live in self.observer.objects(slot).deployments.items():
            if STOPPED not in live.annotations and status.desired_replicas(live) > 0:
                continue
            replicas = max(1, status.desired_replicas(wanted[name])) if name in wanted else 1
            self._scale(live.key, replicas, stopped=False)

    # --- stop ------------------------------------------------------------------------------------
    def stop(self, slot: Slot, *, kill: bool, forget: bool = False) -> None:
        found = self.observer.objects(slot)
        self._stop(found, 0 if kill else GRACE_SECONDS)
        if forget or not kill:
            self.wait_gone(slot)
        if forget:
            self.syncer.sync(str(slot), ())

    def _stop(self, found: SlotObjects, grace_seconds: int) -> None:
        """First no new pods, then the end of those there are."""
        with ThreadPoolExecutor(8) as pool:
            list(
                pool.map(
                    lambda one: self._scale(one.key, 0, stopped=True), found.deployments.values()
                )
            )
            # A replica set that has not heard of it yet would make a new pod for each that ends.
            list(pool.map(lambda one: self._scale(one.key, 0, stopped=True), self._sets(found)))
            list(
                pool.map(
                    lambda pod: self.cluster.delete(pod.key, grace_seconds=grace_seconds),
                    found.every_pod,
                )
            )

    def _sets(self, found: SlotObjects) -> Sequence[Resource]:
        """Replica sets of the slot that want pods."""
        sets, _ = self.cluster.list(
            "apps",
            "ReplicaSet",
            namespace=self.place.namespace,
            labels=self.place.slot_labels(found.slot),
        )
        return [one for one in sets if status.desired_replicas(one) > 0]

    def _scale(self, key: ResourceKey, replicas: int, *, stopped: bool) -> None:
        patch = {
            "metadata": {"annotations": {STOPPED: "true" if stopped else None}},
            "spec": {"replicas": replicas},
        }
        try:
            self.cluster.patch(key, patch, kind="merge")
        except ApiRefused as refused:
            if refused.reason != "NotFound":
                raise

    def wait_gone(self, slot: Slot) -> None:
        """Until no pod is left; those that are still there after the grace are killed. Raises
        Unavailable when a node does not let go of one."""
        began, killed = time.monotonic(), False
        while True:
            left, _ = self.cluster.list(
                "", "Pod", namespace=self.place.namespace, labels=self.place.slot_labels(slot)
            )
            if not left:
                return
            waited = time.monotonic() - began
            if waited > GONE_SECONDS:
                names = ", ".join(pod.name for pod in left)
                raise Unavailable(f"pods of slot {slot} do not end: {names}")
            if waited > GRACE_SECONDS + 2 and not killed:
                killed = True
                for pod in left:
                    self.cluster.delete(pod.key, grace_seconds=0)
            time.sleep(POLL_SECONDS)

    # --- heal ------------------------------------------------------------------------------------
    def drift(self, slot: Slot) -> Sequence[Mend]:
        """Differences between live and the manifests, each with what takes it away."""
        found = self.observer.objects(slot)
        if not found.deployments or found.stopped or found.release is None:
            return ()
        desired = self.manifests.slot(slot, self.stock.get(found.release))
        wanted = [self._counted(one, found) for one in desired]
        return mends(self.syncer, self.cluster, str(slot), wanted)

    def _counted(self, desired: Resource, found: SlotObjects) -> Resource:
        """Where the manifests leave the number of pods to others, 0 is still too few."""
        live = found.deployments.get(process_of(desired)) if desired.kind == "Deployment" else None
        if live is None or status.desired_replicas(live) > 0:
            return desired
        return with_replicas(desired, max(1, status.desired_replicas(desired)))


def processes_of(desired: Sequence[Resource]) -> set[str]:
    return {process_of(one) for one in desired if one.kind == "Deployment"}
