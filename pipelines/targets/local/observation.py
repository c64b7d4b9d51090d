"""What the processes of a slot say about themselves, beside what the kernel says about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipelines.model.errors import SlipwayError, Unavailable
from pipelines.model.live import Health, ProcessLive, SlotLive, TrafficCounters
from pipelines.model.release import ProcessSpec
from pipelines.model.slots import Slot
from pipelines.targets.local.layout import LOOPBACK, Layout
from pipelines.targets.local.ports import Http, Processes, Releases
from pipelines.targets.local.process_orders import process_address
from pipelines.targets.local.slot_keeper import SlotKeeper, SlotRecord

ANSWER_SECONDS = 1.0
STARTING_SECONDS = 20.0
WORST_LAST = list(Health)


class Observer:
    def __init__(
        self, layout: Layout, store: Releases, slots: SlotKeeper, processes: Processes, http: Http
    ) -> None:
        self.layout, self.store, self.slots = layout, store, slots
        self.processes, self.http = processes, http

    def slot(self, slot: Slot) -> SlotLive:
        record = self.slots.record(slot)
        if record is None:
            return SlotLive(slot, None, (), Health.MISSING, "empty")
        if record.stopped:
            return SlotLive(slot, record.release, (), Health.SUSPENDED, "stopped")
        found = tuple(self.process(slot, spec) for spec in self.specs(record))
        health = max((p.health for p in found), key=WORST_LAST.index, default=Health.MISSING)
        words = "; ".join(f"{p.name}: {p.message}" for p in found if p.health is not Health.HEALTHY)
        return SlotLive(slot, record.release, found, health, words)

    def specs(self, record: SlotRecord) -> Sequence[ProcessSpec]:
        """As the release declares them; from the slot's own record when the release is lost."""
        try:
            return self.store.get(record.release).application.processes
        except SlipwayError:
            return [
                ProcessSpec(name, (), ("live", "slot") if name in record.live else ("control",))
                for name in record.processes
            ]

    def process(self, slot: Slot, spec: ProcessSpec) -> ProcessLive:
        pid = self.slots.pid(slot, spec.name)
        if pid is None:
            return ProcessLive(spec.name, None, "", "", "", False, Health.DEGRADED, "not running")
        address = process_address(self.layout, slot, spec)
        try:
            version = self.json(address, "/version")
            ready, words = self.ready(address)
        except Unavailable as error:
            health = self.not_yet(pid)
            return ProcessLive(spec.name, pid, "", "", "", False, health, error.message)
        return ProcessLive(
            name=spec.name,
            pid=pid,
            release=str(version.get("release", "")),
            artifact=str(version.get("artifact", "")),
            traffic=str(version.get("traffic", "")),
            ready=ready,
            health=Health.HEALTHY if ready else self.not_yet(pid),
            message=words,
        )

    def not_yet(self, pid: int) -> Health:
        young = self.processes.age_seconds(pid) < STARTING_SECONDS
        return Health.PROGRESSING if young else Health.DEGRADED

    def json(self, address: str, path: str) -> dict[str, Any]:
        status, body = self.http.get(address, path, ANSWER_SECONDS)
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if status != 200 or not isinstance(answer, dict):
            raise Unavailable(f"GET {path} at {address}: status {status}")
        return answer

    def ready(self, address: str) -> tuple[bool, str]:
        status, body = self.http.get(address, "/health/ready", ANSWER_SECONDS)
        if status == 200:
            return True, "ready"
        return False, failing(body) or f"/health/ready answers {status}"

    def traffic_of(self, slot: Slot, process: ProcessSpec) -> str:
        try:
            address = process_address(self.layout, slot, process)
            return str(self.json(address, "/version").get("traffic", ""))
        except Unavailable:
            return ""

    def counters(self, slot: Slot) -> TrafficCounters:
        address = f"tcp:{LOOPBACK}:{self.layout.slot_port(slot)}"
        status, body = self.http.get(address, "/metrics", ANSWER_SECONDS)
        if status != 200:
            raise Unavailable(f"/metrics of slot {slot} answers {status}")
        return count_requests(body.decode(errors="replace"))


def failing(body: bytes) -> str:
    """The checks that fail, from the body of /health/ready."""
    try:
        checks = json.loads(body)["checks"]
        return "; ".join(
            f"{name}: {check.get('message') or 'failing'}"
            for name, check in checks.items()
            if not check.get("ok")
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def count_requests(text: str) -> TrafficCounters:
    """Sum of `http_requests_total{…,status="…"}` in Prometheus' text format."""
    requests = server_errors = 0.0
    for line in text.splitlines():
        if not line.startswith("http_requests_total{"):
            continue
        labels, _, value = line.rpartition(" ")
        requests += float(value)
        if 'status="5' in labels:
            server_errors += float(value)
    return TrafficCounters(int(requests), int(server_errors))
