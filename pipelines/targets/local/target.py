"""An environment as processes on this machine. Implements targets/protocol.py."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence

from pipelines.model.branch import RowReading
from pipelines.model.errors import Refused
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
from pipelines.model.slots import Slot
from pipelines.targets.asking import AsksApplication
from pipelines.targets.local.application import ApplicationCommands
from pipelines.targets.local.controller_keeper import ControllerKeeper
from pipelines.targets.local.layout import LOOPBACK, Layout, write_atomically
from pipelines.targets.local.observation import Observer
from pipelines.targets.local.ports import CommandResult, LocalAdapters, Releases
from pipelines.targets.local.process_orders import process_name, slot_environment
from pipelines.targets.local.services import ServiceKeeper
from pipelines.targets.local.slot_keeper import SlotKeeper

PROBE_PATH = "/health/ready"
TRAFFIC_POLL_SECONDS = 0.005


class LocalTarget(AsksApplication):
    def __init__(self, layout: Layout, store: Releases, adapters: LocalAdapters) -> None:
        self.environment = layout.environment
        self.layout, self.store, self.adapters = layout, store, adapters
        self.processes, self.http = adapters.processes, adapters.http
        self.rows = adapters.rows
        supervisor = adapters.supervisor
        self.services = ServiceKeeper(layout, store, supervisor, self.processes, self.http)
        self.slots = SlotKeeper(layout, store, supervisor, self.processes, self.services)
        self.observer = Observer(layout, store, self.slots, self.processes, self.http)
        self.commands = ApplicationCommands(self.processes)
        self.controller = ControllerKeeper(layout, supervisor, self.processes)

    # --- what outlives a release -----------------------------------------------------------------
    def ensure(self, services: Release) -> None:
        self.layout.make_folders()
        self.adapters.supervisor.begin()
        self.adapters.database.ensure()
        self.rows.apply_schema()
        self.adapters.supervisor.ready()
        self.services.ensure(services)

    def ensure_controller(self, argv: Sequence[str]) -> None:
        """The environment's actor, kept by the supervisor and outliving it."""
        self.controller.start(argv)

    def stop_controller(self) -> None:
        self.controller.stop()

    def abandoned(self) -> bool:
        return self.controller.abandoned()

    def stop_all(self) -> str:
        self.stop_controller()
        for slot in Slot:
            self.slots.begin_stop(slot, kill=False)
        for slot in Slot:
            self.slots.finish_stop(slot)
        self.services.stop()
        self.adapters.supervisor.stop()
        self.rows.close()
        self.adapters.database.stop()
        return "slots, services, database, supervisor"

    def pinned_releases(self) -> set[str]:
        records = (self.slots.record(slot) for slot in Slot)
        pinned = {release for release, _ in self.services.pinned().values()}
        return pinned | {record.release for record in records if record}

    # --- observe ---------------------------------------------------------------------------------
    def observe(self) -> LiveState:
        row_reachable = self.adapters.database.running()
        return LiveState(
            slots={slot: self.observe_slot(slot) for slot in Slot},
            services=self.services.health(),
            database=Health.HEALTHY if row_reachable else Health.MISSING,
            supervisor=Health.HEALTHY if self.adapters.supervisor.alive() else Health.MISSING,
        )

    def observe_slot(self, slot: Slot) -> SlotLive:
        return self.observer.slot(slot)

    def read_row(self) -> RowReading:
        return self.rows.read()

    def live_url(self) -> str:
        return f"http://{LOOPBACK}:{self.layout.live_port}"

    def slot_url(self, slot: Slot) -> str:
        return f"http://{LOOPBACK}:{self.layout.slot_port(slot)}"

    # --- database --------------------------------------------------------------------------------
    def backup(self, reason: str) -> BackupInfo:
        return self.adapters.database.backup(reason)

    def list_backups(self) -> Sequence[BackupInfo]:
        return self.adapters.database.list_backups()

    def may_restore(self, name: str) -> None:
        """Always."""

    def restore(self, name: str) -> None:
        running = [
            process_name(slot, process)
            for slot in Slot
            if (record := self.slots.record(slot)) and not record.stopped
            for process in record.processes
            if self.slots.pid(slot, process) is not None
        ]
        if running:
            raise Refused(
                f"processes still run: {', '.join(running)}", hint="stop both slots first"
            )
        self.rows.close()
        self.adapters.database.restore(name)

    # --- slots -----------------------------------------------------------------------------------
    def stage(self, slot: Slot, release: Release) -> None:
        self.slots.stage(slot, release)

    def stop_slot(self, slot: Slot, *, kill: bool, forget: bool = False) -> None:
        self.slots.stop(slot, kill=kill, forget=forget)

    def slot_drift(self, slot: Slot) -> Sequence[Mend]:
        return self.slots.drift(slot)

    # --- checks ----------------------------------------------------------------------------------
    def _run(
        self,
        release: Release,
        slot: Slot | None,
        command: str,
        args: Sequence[str],
        timeout_seconds: float,
    ) -> CommandResult:
        ports = self.services.ports(release)
        env = slot_environment(self.layout, slot or Slot.BLUE, release, ports)
        python = self.store.python(release)
        return self.commands.run(release, python, env, command, args, timeout_seconds)

    # --- switch ----------------------------------------------------------------------------------
    def set_traffic(self, slot: Slot, *, live: bool, wait_seconds: float = 0.0) -> bool:
        path = self.layout.traffic_file(slot)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # No fsync: after a power cut the row says it again, and a rollback must not wait for a disk.
        write_atomically(path, "live\n" if live else "idle\n", durable=False)
        record = self.slots.record(slot)
        for process in record.live if record else ():
            self.processes.signal(self.layout.pidfile(process_name(slot, process)), signal.SIGUSR1)
        return wait_seconds > 0 and self._traffic_is(slot, live, wait_seconds)

    def follows_late(self, slot: Slot) -> bool:
        """Never: slots take connections by themselves, nothing leads them."""
        return False

    def _traffic_is(self, slot: Slot, live: bool, wait_seconds: float) -> bool:
        record = self.slots.record(slot)
        if record is None or record.stopped or not record.live:
            return False
        waiting = [spec for spec in self.observer.specs(record) if "live" in spec.sockets]
        deadline = time.monotonic() + wait_seconds
        while waiting:
            said = self.observer.traffic_of(slot, waiting[0])
            if said and (said == "live") is live:
                waiting.pop(0)
            elif time.monotonic() > deadline:
                return False
            else:
                time.sleep(TRAFFIC_POLL_SECONDS)
        return True

    def traffic(self) -> Slot | None:
        """Two may be told so for a moment in the middle of a switch: the later word counts."""
        told = []
        for slot in Slot:
            path = self.layout.traffic_file(slot)
            try:
                if path.read_text().strip() == "live":
                    told.append((path.stat().st_mtime_ns, slot))
            except OSError:
                continue
        return max(told)[1] if told else None

    def probe(self, slot: Slot | None, *, count: int, per_second: float) -> ProbeSamples:
        port = self.layout.live_port if slot is None else self.layout.slot_port(slot)
        return self.http.probe(f"tcp:{LOOPBACK}:{port}", PROBE_PATH, count, per_second)

    def counters(self, slot: Slot) -> TrafficCounters:
        return self.observer.counters(slot)

    def memory_bytes(self, slot: Slot) -> dict[str, int]:
        record = self.slots.record(slot)
        pids = {name: self.slots.pid(slot, name) for name in (record.processes if record else ())}
        sizes = {name: self.processes.resident_bytes(pid) for name, pid in pids.items() if pid}
        return {name: size for name, size in sizes.items() if size}
