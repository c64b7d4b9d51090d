"""Every path and port of an installation's state folder, in one place.

`Installation` is the folder itself (installation.json); `Layout` is one environment in it. Nothing
here starts a process; folders are made by `Installation.create` and `Layout.make_folders` alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from pipelines.model.errors import BadInput, NeedsPerson
from pipelines.model.release import ENVIRONMENTS
from pipelines.model.slots import Slot

DEFAULT_BASE_PORT = 18080
PORTS_PER_ENVIRONMENT = 10
LONGEST_SOCKET_PATH = 107  # bytes; the kernel's limit for UNIX socket addresses
FIRST_SERVICE_OFFSET = 3
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Installation:
    """One state folder. `runtime` is a short folder for sockets: paths of UNIX sockets are limited."""

    state: Path
    id: str
    base_port: int
    runtime: Path
    checkout: Path
    created_at: str

    @classmethod
    def load(cls, state: Path) -> Installation:
        """Raises BadInput when there is no installation or its file is damaged."""
        path = state / "installation.json"
        try:
            facts = json.loads(path.read_text())
            return cls(
                state=state.resolve(),
                id=str(facts["id"]),
                base_port=int(facts["base_port"]),
                runtime=Path(facts["runtime"]),
                checkout=Path(facts["checkout"]),
                created_at=str(facts["created_at"]),
            )
        except FileNotFoundError:
            raise BadInput(
                f"no installation at {state}", hint="type: slipway up (or name it with --state)"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{path} is damaged: {error}", hint="type: slipway up") from None

    @classmethod
    def create(cls, state: Path, checkout: Path, base_port: int | None = None) -> Installation:
        """Make the folder, or return the installation that is there (same base port, or BadInput)."""
        if (state / "installation.json").exists():
            found = cls.load(state)
            if base_port is not None and base_port != found.base_port:
                raise BadInput(
                    f"{state} is installed at base port {found.base_port}, not {base_port}",
                    hint="leave --base-port out, or name another --state",
                )
            return found
        port = DEFAULT_BASE_PORT if base_port is None else base_port
        last = port + PORTS_PER_ENVIRONMENT * len(ENVIRONMENTS)
        if port < 1024 or last > 65535:
            raise BadInput(f"base port {port} is not between 1024 and {65535 - 30}")
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        state.chmod(0o700)
        state = state.resolve()
        made = cls(
            state=state,
            id=secrets.token_hex(8),
            base_port=port,
            runtime=runtime_folder(state),
            checkout=checkout.resolve(),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        write_atomically(made.state / "installation.json", made.to_json())
        made.ensure_token()
        return made

    def to_json(self) -> str:
        facts = {
            "id": self.id,
            "base_port": self.base_port,
            "runtime": str(self.runtime),
            "checkout": str(self.checkout),
            "created_at": self.created_at,
        }
        return json.dumps(facts, indent=1) + "\n"

    @property
    def token_file(self) -> Path:
        return self.state / "token"

    @property
    def releases(self) -> Path:
        return self.state / "releases"

    def ensure_token(self) -> None:
        """The application's bearer token: 32 random bytes in a 0600 file."""
        if not self.token_file.exists():
            write_atomically(self.token_file, secrets.token_urlsafe(32) + "\n")

    def ensure_runtime(self) -> None:
        """The runtime folder must be ours alone: it lies in a folder everybody can write to."""
        self.runtime.mkdir(mode=0o700, exist_ok=True)
        facts = self.runtime.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
            raise NeedsPerson(
                f"{self.runtime} is not a folder of user {os.getuid()}",
                hint=f"look at it, then: rm -rf {self.runtime}",
            )
        if stat.S_IMODE(facts.st_mode) != 0o700:
            self.runtime.chmod(0o700)

    def layout(self, environment: str) -> Layout:
        if environment not in ENVIRONMENTS:
            raise BadInput(
                f"unknown environment {environment!r}", hint=f"one of: {', '.join(ENVIRONMENTS)}"
            )
        return Layout(self, environment)


@dataclass(frozen=True, slots=True)
class Layout:
    """One environment of an installation."""

    installation: Installation
    environment: str

    # --- folders ---------------------------------------------------------------------------------
    @property
    def root(self) -> Path:
        return self.installation.state / "environments" / self.environment

    @property
    def records(self) -> Path:
        return self.root / "records.sqlite"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def orders(self) -> Path:
        """One file per process the supervisor must run; without its file a process may not start."""
        return self.root / "supervised"

    @property
    def runtime(self) -> Path:
        return self.installation.runtime / self.environment

    def make_folders(self) -> None:
        self.installation.ensure_runtime()
        for folder in (self.logs, self.backups, self.orders, self.runtime, self.services):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        longest = self.control_socket(Slot.GREEN, "a-long-process-name")
        if len(str(longest).encode()) > LONGEST_SOCKET_PATH:
            raise BadInput(f"runtime folder {self.runtime} is too long for sockets")

    # --- database --------------------------------------------------------------------------------
    @property
    def postgres_data(self) -> Path:
        return self.root / "postgres"

    @property
    def timeline_file(self) -> Path:
        """Highest timeline ever used: a restore must go beyond it."""
        return self.root / "timeline"

    @property
    def admin_passfile(self) -> Path:
        return self.root / "slipway.passfile"

    @property
    def application_passfile(self) -> Path:
        return self.root / "trading.passfile"

    @property
    def database_url(self) -> str:
        """For the application: libpq URI without a password."""
        host, passfile = quote(str(self.runtime), safe=""), quote(str(self.application_passfile))
        return f"postgresql://trading@/trading?host={host}&passfile={passfile}"

    # --- supervisor ------------------------------------------------------------------------------
    @property
    def endpoint(self) -> str:
        return f"ipc://{self.runtime}/supervisor.ipc"

    @property
    def events_endpoint(self) -> str:
        return f"ipc://{self.runtime}/events.ipc"

    @property
    def supervisor_lock(self) -> Path:
        return self.runtime / "supervisor.lock"

    @property
    def supervisor_pidfile(self) -> Path:
        return self.runtime / "supervisor.pid"

    @property
    def marker(self) -> str:
        """In the environment of every process that the supervisor starts."""
        return f"{self.installation.id}:{self.environment}"

    def pidfile(self, process: str) -> Path:
        """Of a supervised process: `<pid> <start ticks>`, written by the process itself."""
        return self.runtime / f"{process}.pid"

    # --- ports -----------------------------------------------------------------------------------
    @property
    def live_port(self) -> int:
        index = ENVIRONMENTS.index(self.environment)
        return self.installation.base_port + PORTS_PER_ENVIRONMENT * index

    def slot_port(self, slot: Slot) -> int:
        return self.live_port + (1 if slot is Slot.BLUE else 2)

    def service_port(self, index: int) -> int:
        return self.live_port + FIRST_SERVICE_OFFSET + index

    def control_socket(self, slot: Slot, process: str) -> Path:
        return self.runtime / f"{slot}-{process}.sock"

    # --- services --------------------------------------------------------------------------------
    @property
    def services(self) -> Path:
        return self.root / "services"

    def service_record(self, name: str) -> Path:
        """Names the release whose code the service runs."""
        return self.services / f"{name}.json"

    def service_data(self, name: str) -> Path:
        return self.services / name

    # --- slots -----------------------------------------------------------------------------------
    def slot_folder(self, slot: Slot) -> Path:
        return self.root / "slots" / slot

    def slot_record(self, slot: Slot) -> Path:
        return self.slot_folder(slot) / "slot.json"

    def values_file(self, slot: Slot) -> Path:
        return self.slot_folder(slot) / "values.yaml"

    def traffic_file(self, slot: Slot) -> Path:
        return self.slot_folder(slot) / "traffic"

    def slot_logs(self, slot: Slot) -> Path:
        return self.slot_folder(slot) / "logs"


def runtime_folder(state: Path) -> Path:
    """Short, the same for the same state folder and user."""
    digest = hashlib.sha256(str(state).encode()).hexdigest()[:8]
    return Path("/tmp") / f"slipway-{os.getuid()}-{digest}"  # noqa: S108 - checked to be ours


def write_atomically(path: Path, text: str, *, durable: bool = True) -> None:
    """0600, complete or not at all. `durable=False` skips fsync, where speed counts more than a
    power cut (the fact is established again from the database)."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
