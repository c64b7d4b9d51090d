"""A slot on this machine: staged, stopped, healed.

The way back leads through `stop`: it needs no database, no network and no supervisor. A process may
only start while its order file exists, so withdrawing the files and then signalling by pid file is
final even when the supervisor is dead, halted or just restarting something.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

from pipelines.model.errors import BadInput, NeedsPerson
from pipelines.model.live import Mend
from pipelines.model.release import Release
from pipelines.model.slots import Slot
from pipelines.targets.local.layout import Layout, write_atomically
from pipelines.targets.local.ports import Processes, ProcessOrder, Releases, Supervisor
from pipelines.targets.local.process_orders import process_name, slot_orders
from pipelines.targets.local.services import ServiceKeeper

GRACE_SECONDS = 5.0
KILL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """slot.json: what the slot was staged with. `live`: its processes that have the live socket."""

    release: str
    stopped: bool
    staged_at: str
    processes: tuple[str, ...]
    live: tuple[str, ...]


class SlotKeeper:
    def __init__(
        self,
        layout: Layout,
        store: Releases,
        supervisor: Supervisor,
        processes: Processes,
        services: ServiceKeeper,
    ) -> None:
        self.layout, self.store, self.services = layout, store, services
        self.supervisor, self.processes = supervisor, processes

    # --- what lies there -------------------------------------------------------------------------
    def record(self, slot: Slot) -> SlotRecord | None:
        try:
            facts = json.loads(self.layout.slot_record(slot).read_text())
            facts["processes"], facts["live"] = tuple(facts["processes"]), tuple(facts["live"])
            return SlotRecord(**facts)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NeedsPerson(
                f"{self.layout.slot_record(slot)} is damaged: {error}",
                hint=f"remove it, then: slipway sync {self.layout.environment}",
            ) from None

    def orders(self, slot: Slot, release: Release) -> dict[str, ProcessOrder]:
        ports = self.services.ports(release)
        return slot_orders(self.layout, slot, release, self.store.python(release), ports)

    def pid(self, slot: Slot, process: str) -> int | None:
        return self.processes.alive(self.layout.pidfile(process_name(slot, process)))

    # --- stage -----------------------------------------------------------------------------------
    def stage(self, slot: Slot, release: Release) -> None:
        if self.runs(slot, release):
            return
        orders = self.orders(slot, release)
        self.stop(slot, kill=False)
        self.layout.slot_logs(slot).mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(self.layout.traffic_file(slot), "idle\n")
        write_atomically(self.layout.values_file(slot), self.values_text(release))
        specs = release.application.processes
        record = SlotRecord(
            release=release.id,
            stopped=False,
            staged_at=datetime.now(UTC).isoformat(timespec="seconds"),
            processes=tuple(spec.name for spec in specs),
            live=tuple(spec.name for spec in specs if "live" in spec.sockets),
        )
        self.write(slot, record)
        self.supervisor.begin()
        self.supervisor.ready()
        for order in orders.values():
            self.supervisor.run(order)

    def runs(self, slot: Slot, release: Release) -> bool:
        """Exactly this release, with these values, every process."""
        record = self.record(slot)
        if record is None or record.release != release.id or record.stopped:
            return False
        names = [spec.name for spec in release.application.processes]
        return self._values_right(slot, release) and all(
            self.ordered(slot, name) == release.id and self.pid(slot, name) is not None
            for name in names
        )

    def ordered(self, slot: Slot, process: str) -> str | None:
        """Of which release a process is ordered to be; None without an order."""
        for path in self.layout.orders.glob(f"{process_name(slot, process)}.*.json"):
            try:
                return ProcessOrder.from_json(path.read_text()).env.get("SLIPWAY_RELEASE")
            except (OSError, ValueError, TypeError):
                return None
        return None

    def _values_right(self, slot: Slot, release: Release) -> bool:
        try:
            return self.layout.values_file(slot).read_text() == self.values_text(release)
        except (OSError, UnicodeDecodeError):
            return False

    def values_text(self, release: Release) -> str:
        values = release.values.get(self.layout.environment)
        if values is None:
            raise BadInput(f"release {release.id} has no values for {self.layout.environment}")
        return yaml.safe_dump(dict(values), sort_keys=True, allow_unicode=True)

    def write(self, slot: Slot, record: SlotRecord, *, durable: bool = True) -> None:
        text = json.dumps(asdict(record), indent=1) + "\n"
        write_atomically(self.layout.slot_record(slot), text, durable=durable)

    # --- stop ------------------------------------------------------------------------------------
    def stop(self, slot: Slot, *, kill: bool, forget: bool = False) -> None:
        self.begin_stop(slot, kill=kill)
        if not kill:
            self.finish_stop(slot)
        if forget:
            self.finish_stop(slot)
            # The logs stay: they say why a release was given back.
            for path in (
                self.layout.slot_record(slot),
                self.layout.values_file(slot),
                self.layout.traffic_file(slot),
            ):
                path.unlink(missing_ok=True)

    def begin_stop(self, slot: Slot, *, kill: bool) -> None:
        """Withdraw the orders, signal; does not wait. What has no record is stopped just so."""
        for path in self.layout.orders.glob(f"{slot}-*.json"):
            path.unlink(missing_ok=True)
        for pidfile in self.pidfiles(slot):
            self.processes.signal(pidfile, signal.SIGKILL if kill else signal.SIGTERM)
        record = self.record(slot)
        if record is not None and not record.stopped:
            stopped = SlotRecord(**(asdict(record) | {"stopped": True}))
            self.write(slot, stopped, durable=False)

    def finish_stop(self, slot: Slot) -> None:
        deadline = time.monotonic() + GRACE_SECONDS
        for pidfile in self.pidfiles(slot):
            if not self.processes.wait_gone(pidfile, max(0.0, deadline - time.monotonic())):
                self.processes.signal(pidfile, signal.SIGKILL)
                self.processes.wait_gone(pidfile, KILL_SECONDS)

    def pidfiles(self, slot: Slot) -> list[Path]:
        return sorted(self.layout.runtime.glob(f"{slot}-*.pid"))

    # --- heal ------------------------------------------------------------------------------------
    def drift(self, slot: Slot) -> Sequence[Mend]:
        """What differs from slot.json, and what mends it. Values changed by hand are written again
        and the processes restarted that may have read them."""
        record = self.record(slot)
        if record is None or record.stopped:
            return ()
        release = self.store.get(record.release)
        found: list[Mend] = []
        changed_at = self._values_changed_at(slot, release)
        if changed_at is not None:
            text, path = self.values_text(release), self.layout.values_file(slot)
            words = f"slot {slot}: values.yaml was changed by hand; written again"
            found.append(Mend(words, lambda: write_atomically(path, text)))
        for name, order in self.orders(slot, release).items():
            found += self._process_drift(slot, name, order, changed_at)
        return tuple(found)

    def _values_changed_at(self, slot: Slot, release: Release) -> float | None:
        """When the file was changed (UNIX seconds), None when it is right."""
        if self._values_right(slot, release):
            return None
        path = self.layout.values_file(slot)
        return path.stat().st_mtime if path.exists() else 0.0

    def _process_drift(
        self, slot: Slot, name: str, order: ProcessOrder, changed_at: float | None
    ) -> Iterator[Mend]:
        """A running process of the right release is left alone, whatever engine ordered it."""
        pid, ordered = self.pid(slot, name), self.ordered(slot, name)
        pidfile = Path(order.pidfile)

        def start() -> None:
            self.supervisor.run(order)

        def replace() -> None:
            self.processes.signal(pidfile, signal.SIGKILL)
            start()

        def restart() -> None:
            self.processes.signal(pidfile, signal.SIGTERM)

        if ordered not in (None, order.env["SLIPWAY_RELEASE"]):
            words, mend = f"was ordered to be {ordered}; started again", replace
        elif pid is None:
            words, mend = "was not running; started again", start
        elif ordered is None:
            words, mend = "had no order; ordered", start
        elif changed_at is not None and time.time() - self.processes.age_seconds(pid) > changed_at:
            words, mend = "was restarted with the right values", restart
        else:
            return
        yield Mend(f"slot {slot}: {name} {words}", mend)
