"""Services of an environment: started from a release, pinned to it, outliving slots."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from pathlib import Path

from pipelines.model.errors import SlipwayError, Unavailable
from pipelines.model.live import Health
from pipelines.model.release import Release, ServiceSpec
from pipelines.targets.local.layout import LOOPBACK, Layout, write_atomically
from pipelines.targets.local.ports import Http, Processes, Releases, Supervisor
from pipelines.targets.local.process_orders import service_order

ANSWER_SECONDS = 1.0
GRACE_SECONDS = 5.0


class ServiceKeeper:
    def __init__(
        self,
        layout: Layout,
        store: Releases,
        supervisor: Supervisor,
        processes: Processes,
        http: Http,
    ) -> None:
        self.layout, self.store, self.http = layout, store, http
        self.supervisor, self.processes = supervisor, processes

    def pinned(self) -> dict[str, tuple[str, int]]:
        """Service → (release, port offset). The release may not be pruned."""
        found = {}
        for path in sorted(self.layout.services.glob("*.json")):
            try:
                facts = json.loads(path.read_text())
                found[path.stem] = (str(facts["release"]), int(facts["index"]))
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return found

    def ports(self, release: Release) -> Mapping[str, int]:
        """Of every service this release knows; a service keeps its port for ever."""
        pinned = self.pinned()
        taken = {index for _, index in pinned.values()}
        free = (index for index in range(100) if index not in taken)
        ports = {}
        for service in release.application.services:
            index = pinned[service.name][1] if service.name in pinned else next(free)
            ports[service.name] = self.layout.service_port(index)
        return ports

    def ensure(self, release: Release) -> None:
        ports = self.ports(release)
        for service in release.application.services:
            pinned = self.pinned().get(service.name)
            code, spec = self._code(service, release, pinned[0] if pinned else release.id)
            port = ports[service.name]
            index = port - self.layout.service_port(0)
            record = json.dumps({"release": code.id, "index": index}) + "\n"
            self.layout.service_data(service.name).mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self.layout.service_record(service.name), record)
            order = service_order(self.layout, spec, code, self.store.python(code), port)
            self.supervisor.run(order)

    def _code(
        self, service: ServiceSpec, given: Release, pinned: str
    ) -> tuple[Release, ServiceSpec]:
        """The pinned release and its own words for the service; the given one if that is lost."""
        try:
            release = self.store.get(pinned)
        except SlipwayError:
            return given, service
        for spec in release.application.services:
            if spec.name == service.name:
                return release, spec
        return given, service

    def health(self) -> dict[str, Health]:
        return {
            name: self._one(name, self.layout.service_port(index))
            for name, (_, index) in self.pinned().items()
        }

    def _one(self, name: str, port: int) -> Health:
        if self.processes.alive(self._pidfile(name)) is None:
            return Health.MISSING
        try:
            status, _ = self.http.get(f"tcp:{LOOPBACK}:{port}", "/health/live", ANSWER_SECONDS)
        except Unavailable:
            return Health.DEGRADED
        return Health.HEALTHY if status == 200 else Health.DEGRADED

    def stop(self) -> None:
        for path in self.layout.orders.glob("service-*.json"):
            path.unlink(missing_ok=True)
        names = list(self.pinned())
        for name in names:
            self.processes.signal(self._pidfile(name), signal.SIGTERM)
        for name in names:
            if not self.processes.wait_gone(self._pidfile(name), GRACE_SECONDS):
                self.processes.signal(self._pidfile(name), signal.SIGKILL)

    def _pidfile(self, name: str) -> Path:
        return self.layout.pidfile(f"service-{name}")
