"""An environment on a Kubernetes cluster. Implements targets/protocol.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipelines.model.branch import RowReading
from pipelines.model.errors import SlipwayError, Unavailable
from pipelines.model.live import (
    BackupInfo,
    Health,
    LiveState,
    Mend,
    ProbeSamples,
    SlotLive,
    TrafficCounters,
)
from pipelines.model.release import Release
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.slots import Slot
from pipelines.targets.asking import MIGRATE_SECONDS, AsksApplication
from pipelines.targets.kubernetes import pods as status
from pipelines.targets.kubernetes.commands import Commands
from pipelines.targets.kubernetes.layout import RELEASE_LABEL, Place
from pipelines.targets.kubernetes.live_cache import WatchedCache
from pipelines.targets.kubernetes.observation import Observer
from pipelines.targets.kubernetes.ports import KubernetesAdapters, Stock
from pipelines.targets.kubernetes.reach import Reach
from pipelines.targets.kubernetes.services import ServiceKeeper
from pipelines.targets.kubernetes.slots import SlotKeeper
from pipelines.targets.kubernetes.traffic import Traffic, live_process
from pipelines.targets.local.ports import CommandResult
from pipelines.targets.local.target import PROBE_PATH

WATCHED = (("apps", "Deployment"), ("", "ConfigMap"), ("", "Service"))
LEAVING_SECONDS = 1.5
"""Before pods are killed that may still get connections: what a change of endpoints may take."""


class KubernetesTarget(AsksApplication):
    # A process more in a pod with limits, on a node with neighbours; the old slot answers meanwhile.
    handover_seconds = 20.0
    # In a pod that has just been made, with as little processor as its slot asks for.
    status_seconds = 60.0

    def __init__(self, place: Place, stock: Stock, adapters: KubernetesAdapters) -> None:
        self.environment, self.place, self.stock = place.environment, place, stock
        self.adapters, self.cluster, self.rows = adapters, adapters.cluster, adapters.rows
        self.reach = Reach(self.cluster, adapters.http, place.namespace)
        self.observer = Observer(place, self.cluster, self.reach)
        self.road = Traffic(place, self.cluster, adapters.http)
        self.slots = SlotKeeper(
            place, self.cluster, adapters.manifests, adapters.syncer, self.observer, stock
        )
        self.services = ServiceKeeper(
            place, self.cluster, adapters.manifests, adapters.syncer, self.rows, self.road
        )
        self.commands = Commands(place, self.cluster, adapters.manifests, self.observer)
        self._services_of: Release | None = None

    # --- what outlives a release -----------------------------------------------------------------
    def ensure(self, services: Release) -> None:
        self._services_of = services
        self.services.ensure(services)

    def ensure_controller(self, argv: Sequence[str]) -> None:
        self.adapters.keeper.start(argv)

    def stop_controller(self) -> None:
        self.adapters.keeper.stop()

    def watch(self, act: Callable[[], None]) -> None:
        """Calls `act` in a thread after each change of an object that a hand may have made, for as
        long as this process lives. What only its status changes is no change."""
        seen: dict[ResourceKey, object] = {}
        cache = WatchedCache(self.cluster)

        def changed(key: ResourceKey) -> None:
            live = cache.get(key)
            now = live and {k: v for k, v in live.manifest.items() if k in ("spec", "data")}
            if key not in seen or seen[key] != now:
                seen[key] = now
                act()

        cache.on_change(changed)
        cache.start(WATCHED, [self.place.namespace])

    def abandoned(self) -> bool:
        return self.adapters.keeper.abandoned()

    def stop_all(self) -> str:
        """Slots and controller. Database and services are not Slipway's to stop here."""
        self.stop_controller()
        for slot in Slot:
            self.slots.stop(slot, kill=False)
        self.rows.close()
        return "slots; database and services stay in the cluster"

    def pinned_releases(self) -> set[str]:
        pinned = set()
        for slot in Slot:
            found = self.observer.objects(slot).deployments.values()
            pinned |= {one.labels.get(RELEASE_LABEL, "") for one in found}
        return pinned - {""}

    # --- observe ---------------------------------------------------------------------------------
    def observe(self) -> LiveState:
        try:
            slots = {slot: self.observe_slot(slot) for slot in Slot}
            known = self._known()
            services = dict(self.services.health(known)) if known else {}
            api = Health.HEALTHY
        except Unavailable as error:
            slots = {slot: unknown(slot, error.message) for slot in Slot}
            services, api = {}, Health.UNKNOWN
        return LiveState(
            slots=slots,
            services=services,
            database=Health.MISSING if self.read_row().down else Health.HEALTHY,
            supervisor=api,
        )

    def _known(self) -> Release | None:
        """A release that says which services there are: the one services were ensured for, else
        one that runs."""
        if self._services_of is None:
            for release in sorted(self.pinned_releases()):
                try:
                    self._services_of = self.stock.get(release)
                    break
                except SlipwayError:
                    continue
        return self._services_of

    def observe_slot(self, slot: Slot) -> SlotLive:
        return self.observer.slot(slot)

    def logs(self, slot: Slot, process: str, lines: int) -> dict[str, Sequence[str]]:
        """Last lines of each pod of a slot by its name; `process` empty: of every process."""
        found: dict[str, Sequence[str]] = {}
        for name, pods in self.observer.objects(slot).pods.items():
            for pod in pods if process in ("", name) else ():
                container = status.container_name(pod)
                text = self.cluster.logs(self.place.namespace, pod.name, container, lines=lines)
                found[pod.name] = text.splitlines()
        return found

    def read_row(self) -> RowReading:
        return self.rows.read()

    def live_url(self) -> str:
        """Of the Service, for nodes and pods; people's own is the route before it."""
        return self.road.url(self.place.active)

    def slot_url(self, slot: Slot) -> str:
        """One Service leads to the active slot, the other to the idle one."""
        active = self.road.slot() is slot
        return self.road.url(self.place.active if active else self.place.preview)

    # --- database --------------------------------------------------------------------------------
    def _run_migration(self, release: Release, arguments: Sequence[str]) -> CommandResult:
        """Always in a Job: it must not share a slot's memory limit, nor end with one of its pods."""
        words = [*release.application.commands["migrate"], *arguments, "--output", "json"]
        return self.commands.in_job(release, Slot.BLUE, "migrate", words, MIGRATE_SECONDS)

    def backup(self, reason: str) -> BackupInfo:
        return self.adapters.backups.take(reason)

    def list_backups(self) -> Sequence[BackupInfo]:
        return self.adapters.backups.all()

    def may_restore(self, name: str) -> None:
        self.adapters.backups.refuse_restore(name)

    def restore(self, name: str) -> None:
        """Not here: the database is somebody else's, and a dump cannot raise its timeline."""
        self.may_restore(name)

    # --- slots -----------------------------------------------------------------------------------
    def stage(self, slot: Slot, release: Release) -> None:
        if self.observer.objects(slot).release not in (None, release.id):
            self.road.take(slot)
        self.slots.stage(slot, release)
        if self.road.slot() is not slot:
            self.road.preview(slot)

    def stop_slot(self, slot: Slot, *, kill: bool, forget: bool = False) -> None:
        if kill and not forget:
            self._let_leave(slot)
        self.slots.stop(slot, kill=kill, forget=forget)
        if forget:
            self.road.take(slot)

    def _let_leave(self, slot: Slot) -> None:
        """Where the other slot was just given the traffic, its connections come first: a pod that
        ends before the nodes heard of it would be asked a little longer."""
        try:
            if self.road.slot() is slot.other:
                self.road.arrives(slot.other, LEAVING_SECONDS)
        except SlipwayError:
            return  # killing needs no more than the API server's next answer

    def slot_drift(self, slot: Slot) -> Sequence[Mend]:
        """The active slot's is that of the edge too."""
        row = self.read_row().row
        active = row.slot if row else self.traffic()
        release = self.observer.objects(slot).release if slot is active else None
        edge = self.services.drift(self.stock.get(release)) if release else ()
        return (*self.slots.drift(slot), *edge)

    # --- checks ----------------------------------------------------------------------------------
    def _run(
        self,
        release: Release,
        slot: Slot | None,
        command: str,
        args: Sequence[str],
        timeout_seconds: float,
    ) -> CommandResult:
        return self.commands.run(release, slot or Slot.BLUE, command, args, timeout_seconds)

    # --- switch ----------------------------------------------------------------------------------
    def set_traffic(self, slot: Slot, *, live: bool, wait_seconds: float = 0.0) -> bool:
        if not live:
            self.road.take(slot)
            return wait_seconds > 0 and self.road.slot() is not slot
        self.road.give(slot)
        return wait_seconds > 0 and self.road.arrives(slot, wait_seconds)

    def follows_late(self, slot: Slot) -> bool:
        return self.road.slot() is slot and self.road.leads_to(slot.other)

    def traffic(self) -> Slot | None:
        return self.road.slot()

    def probe(self, slot: Slot | None, *, count: int, per_second: float) -> ProbeSamples:
        """Through the Service's own address where this machine reaches it, so that what users meet
        is measured; else by the API server, pod by pod."""
        address = self.road.address(self.place.active) if slot is None else ""
        if address and self.road.reachable():
            return self.adapters.http.probe(f"tcp:{address}", PROBE_PATH, count, per_second)
        chosen = self._answering(slot or self.traffic())
        return self.reach.probe(chosen, PROBE_PATH, count=count, per_second=per_second)

    def counters(self, slot: Slot) -> TrafficCounters:
        pods = self._answering(slot)
        if not pods:
            raise Unavailable(f"no pod of slot {slot} answers requests")
        return self.observer.counters(pods)

    def memory_bytes(self, slot: Slot) -> dict[str, int]:
        return self.observer.memory(self.observer.objects(slot))

    def _answering(self, slot: Slot | None) -> Sequence[Resource]:
        """Running pods of the process that Services lead to."""
        service = self.cluster.get(self.place.active) if slot else None
        if slot is None or service is None:
            return ()
        found = self.observer.objects(slot).pods.get(live_process(service), ())
        return [pod for pod in found if status.running(pod)]


def unknown(slot: Slot, words: str) -> SlotLive:
    return SlotLive(slot, None, (), Health.UNKNOWN, words)
