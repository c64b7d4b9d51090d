"""A slot on a cluster: staged, stopped, healed.

The way back leads through `stop`: it needs nothing but the API server. Deployments that were scaled
to 0 on purpose say so in an annotation, so that a hand that scales one down is seen as drift.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from pipelines.engine.sync.tracking import owner
from pipelines.model.errors import Refused, Unavailable
from pipelines.model.live import Mend
from pipelines.model.release import Release
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.slots import Slot
from pipelines.model.sync import FieldChange
from pipelines.targets.kubernetes import pods as status
from pipelines.targets.kubernetes.cluster import ApiRefused, Cluster
from pipelines.targets.kubernetes.differences import changes_of
from pipelines.targets.kubernetes.layout import STOPPED, Place, process_of
from pipelines.targets.kubernetes.observation import Observer, SlotObjects
from pipelines.targets.kubernetes.ports import Manifests, Stock, Syncer

GRACE_SECONDS = 5
GONE_SECONDS = 15.0
POLL_SECONDS = 0.1
REPLICAS = "/spec/replicas"


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
        if self.runs(found, release, desired):
            return False
        refuse_foreign(self.place, self.cluster, desired)
        if found.deployments and found.release != release.id:
            self._stop(found, GRACE_SECONDS)
            self.wait_gone(slot)
        self.syncer.sync(self._sized(desired, slot), self.place.slot_labels(slot))
        self._started(slot, desired)
        return True

    def _start_now(self, found: SlotObjects) -> None:
        """A pod that Kubernetes lets wait for its next start, minutes in the end, is replaced."""
        for pod in found.every_pod:
            if status.trouble(pod)[1]:
                self.cluster.delete(pod.key, grace_seconds=0)

    def runs(self, found: SlotObjects, release: Release, desired: Sequence[Resource]) -> bool:
        """Exactly this release, every process, nothing scaled to 0, and nothing changed by hand."""
        if found.release != release.id or set(found.deployments) != processes_of(desired):
            return False
        if any(STOPPED in one.annotations for one in found.deployments.values()):
            return False
        return all(self._changes(one) == () for one in desired)

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
            self.syncer.sync((), self.place.slot_labels(slot))

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
        mends: list[Mend] = []
        for one in desired:
            different = self._changes(one)
            if different is None:
                mends.append(
                    Mend(f"slot {slot}: {one.key} was missing; made again", self._apply(one))
                )
            elif different:
                words = f"slot {slot}: {one.key} was changed: {told(different)}; written again"
                mends.append(Mend(words, self._apply(one, different)))
        return tuple(mends)

    def _changes(self, desired: Resource) -> Sequence[FieldChange] | None:
        """None when there is no such object. More replicas than desired are an autoscaler's."""
        live = self.cluster.get(desired.key)
        if live is None:
            return None
        found = changes_of(self.cluster, desired, live)
        if desired.kind != "Deployment" or status.desired_replicas(live) <= 0:
            return found
        return tuple(one for one in found if one.path != REPLICAS or _fewer(one))

    def _apply(
        self, desired: Resource, different: Sequence[FieldChange] = ()
    ) -> Callable[[], None]:
        def act() -> None:
            if any(one.immutable for one in different):
                self.cluster.delete(desired.key)
            self.cluster.apply(desired.manifest)
            if any(one.path == REPLICAS for one in different):
                self._scale(desired.key, status.desired_replicas(desired), stopped=False)

        return act


def _fewer(change: FieldChange) -> bool:
    """Does live have fewer replicas than wanted? (`old` is what live says.)"""
    return isinstance(change.old, int) and isinstance(change.new, int) and change.old < change.new


def told(different: Sequence[FieldChange]) -> str:
    """The first fields in words, with who changed them and when, where live says so."""
    words = []
    for one in different[:3]:
        who = f" by {one.manager}" if one.manager else ""
        since = f" at {one.since}" if one.since else ""
        words.append(f"{one.path}{who}{since}")
    more = len(different) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")


def processes_of(desired: Sequence[Resource]) -> set[str]:
    return {process_of(one) for one in desired if one.kind == "Deployment"}


def with_replicas(deployment: Resource, replicas: int) -> Resource:
    spec = {**deployment.manifest["spec"], "replicas": replicas}
    return Resource({**deployment.manifest, "spec": spec}, deployment.origin)


def refuse_foreign(place: Place, cluster: Cluster, desired: Sequence[Resource]) -> None:
    """Raises Refused when somebody else's sync owns one of the live objects."""
    for one in desired:
        live = cluster.get(one.key)
        other = owner(live) if live else ""
        if not place.is_ours(other):
            raise Refused(
                f"{one.key} belongs to the Application {other}, as its tracking id says",
                hint="let one of them act: delete that Application without its objects, or set"
                f" `kubernetes: {{controller: argo-cd}}` for {place.environment}",
            )
