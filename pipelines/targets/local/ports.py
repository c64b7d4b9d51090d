"""What the local target needs from the machine; adapters implement it, wiring puts it in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pipelines.model.branch import ActiveRow, RowReading
from pipelines.model.live import BackupInfo, Handover, ProbeSamples
from pipelines.model.release import Release

# In the environment of every process that dies with its supervisor, and of those that do not.
BOUND, FREE = "SLIPWAY_SUPERVISED", "SLIPWAY_CONTROLS"


@dataclass(frozen=True, slots=True)
class ProcessOrder:
    """What the supervisor shall keep running.

    `sockets` maps an environment variable to an address (`tcp:127.0.0.1:18081`, `unix:/path`): the
    supervisor owns the listening socket and the variable carries its file descriptor.
    `bound`: the process dies with the supervisor (everything but the controller).
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    log: str
    pidfile: str
    sockets: Mapping[str, str] = field(default_factory=dict)
    bound: bool = True

    @property
    def generation(self) -> str:
        """Digest of everything in it: another order is another generation."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    @property
    def filename(self) -> str:
        return f"{self.name}.{self.generation}.json"

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ProcessOrder:
        facts = json.loads(text)
        facts["argv"] = tuple(facts["argv"])
        return cls(**facts)


@dataclass(frozen=True, slots=True)
class WatcherReport:
    """What the supervisor knows: `gave_up` after too many starts in a short time."""

    name: str
    generation: str
    pid: int | None
    gave_up: bool


class Supervisor(Protocol):
    def begin(self) -> None:
        """Start it if it does not run; does not wait."""

    def ready(self) -> None:
        """Wait until it answers. Unavailable with its own words when it could not start."""

    def alive(self) -> bool: ...

    def run(self, order: ProcessOrder) -> None:
        """Keep this running; the same order already running: nothing happens."""

    def report(self) -> Mapping[str, WatcherReport]: ...

    def stop(self) -> None:
        """End it and everything it runs."""


class Processes(Protocol):
    """Signals by pid file: pid and start time must both match, so a reused pid is never hit."""

    def alive(self, pidfile: Path) -> int | None:
        """The pid, when that very process runs."""

    def signal(self, pidfile: Path, number: int) -> bool: ...

    def wait_gone(self, pidfile: Path, seconds: float) -> bool: ...

    def resident_bytes(self, pid: int) -> int: ...

    def age_seconds(self, pid: int) -> float: ...

    def json_command(
        self, argv: Sequence[str], env: Mapping[str, str], timeout_seconds: float
    ) -> CommandResult: ...


@dataclass(frozen=True, slots=True)
class CommandResult:
    """`code` None: it did not end in time and was killed. `answer`: its JSON, when there was one."""

    code: int | None
    answer: Any
    errors: str


class Database(Protocol):
    def ensure(self) -> None:
        """Initialised, running and accepting connections; adopts a running server."""

    def stop(self) -> None: ...

    def running(self) -> bool: ...

    def backup(self, reason: str) -> BackupInfo: ...

    def list_backups(self) -> Sequence[BackupInfo]: ...

    def restore(self, name: str) -> None: ...


class Rows(Protocol):
    """Schema `slipway`, by the engine's own connection."""

    def apply_schema(self) -> None: ...

    def read(self) -> RowReading: ...

    def switch(self, request: Handover) -> ActiveRow: ...

    def confirm(self, operation: str, token: int) -> None: ...

    def published(self, operation: str, token: int) -> None: ...

    def close(self) -> None: ...


class Http(Protocol):
    """`address` is `tcp:host:port` or `unix:/path`."""

    def get(self, address: str, path: str, timeout_seconds: float) -> tuple[int, bytes]:
        """Status and body. Unavailable when nothing answers in time."""

    def probe(self, address: str, path: str, count: int, per_second: float) -> ProbeSamples: ...


class Releases(Protocol):
    """The part of the release store that a target needs."""

    def get(self, release: str) -> Release: ...

    def python(self, release: Release) -> Path: ...


@dataclass(frozen=True, slots=True)
class LocalAdapters:
    """Everything of the machine, for one environment."""

    supervisor: Supervisor
    processes: Processes
    database: Database
    rows: Rows
    http: Http
