"""A PostgreSQL server for one rehearsal: in a scratch folder, dies with the process that started it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.adapters.postgres_server import (
    SETTINGS,
    START_SECONDS,
    Server,
    clean_environment,
    explain,
    postgres,
)
from pipelines.adapters.process import run_limited, start_ticks
from pipelines.adapters.programs import MARKER, own_marker
from pipelines.model.errors import SlipwayError
from pipelines.targets.local.layout import Installation, Layout, write_atomically

CHILD = str(Path(__file__).with_name("supervised_child.py"))
SYNC_SECONDS = 120.0
# While made-up rows are written nothing is worth keeping until all of it is there, and then it is
# synced as a whole. Never while a migration is rehearsed: that runs as an environment's does.
FAST = """\
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum = off
max_wal_size = 4GB
checkpoint_timeout = 1h
wal_level = minimal
max_wal_senders = 0
maintenance_work_mem = 128MB
"""
# The socket's folder is ours alone, so nobody else can connect; no password has to be known.
TRUST = "local all all trust\n"
_SOCKETS = "slipway-rehearsal-"


class ScratchServer(Server):
    """As an environment's server, but a child: it is killed when its parent dies, however that is."""

    def __init__(self, data: Path, sockets: Path, log: Path) -> None:
        super().__init__(data, sockets, log)
        self._child: subprocess.Popen[bytes] | None = None

    def configure(self, *, recovery: bool = False, fast: bool = False) -> None:
        text = SETTINGS.format(sockets=self.sockets) + (FAST if fast else "")
        for name, content in (("postgresql.conf", text), ("pg_hba.conf", TRUST)):
            write_atomically(self.data / name, content, durable=False)

    def start(self, *, seconds: int = START_SECONDS) -> None:
        self._clear_remains()
        self._child = child(
            postgres("postgres", "-D", str(self.data)),
            folder=self.data.parent,
            log=self.log,
            variables=clean_environment(),
        )
        deadline = time.monotonic() + seconds
        while (found := self.postmaster()) is None or found.status != "ready":
            code = self._child.poll()
            if code is not None or time.monotonic() > deadline:
                raise explain("starting the copy", code, self._last_words(), self.log)
            time.sleep(0.02)

    def stop(self) -> None:
        super().stop()
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def sync(self) -> None:
        """All of it on the disk: what was copied, or made fast."""
        code, output, errors = run_limited(
            postgres("initdb", "--sync-only", "-D", str(self.data)),
            clean_environment(),
            SYNC_SECONDS,
        )
        if code != 0:
            raise explain("writing the copy to the disk", code, errors + output)


def child(
    argv: list[str],
    *,
    folder: Path,
    log: Path,
    variables: dict[str, str],
    keep: tuple[int, ...] = (),
) -> subprocess.Popen[bytes]:
    """Its own process group; output goes into the log; SIGKILL when this process dies. A check
    that was killed leaves the marker, by which the next one finds what else was left."""
    wrapper = [sys.executable, "-I", "-S", CHILD, str(os.getpid()), sys.executable]
    places = [f"{log}.pid", str(log), str(folder), ",".join(map(str, keep)), "--"]
    program = shutil.which(argv[0], path=variables.get("PATH")) or argv[0]
    return subprocess.Popen(
        [*wrapper, *places, program, *argv[1:]],
        env={**variables, MARKER: own_marker()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=keep,
        start_new_session=True,
    )


@contextmanager
def scratch_server(folder: Path) -> Iterator[tuple[ScratchServer, Layout]]:
    """A server that is not started yet over `folder`/data, and its paths; gone at the end."""
    with socket_folder() as sockets:
        made = Installation(folder, "rehearsal", 0, sockets, folder, "")
        layout = Layout(made, "dev")
        for needed in (layout.root, layout.runtime):
            needed.mkdir(parents=True, exist_ok=True)
        server = ScratchServer(folder / "data", layout.runtime, folder / "postgres.log")
        try:
            yield server, layout
        finally:
            server.stop()
            shutil.rmtree(folder / "data", ignore_errors=True)


@contextmanager
def socket_folder() -> Iterator[Path]:
    """Short, since paths of sockets are limited; those of killed rehearsals are swept away."""
    base = Path(tempfile.gettempdir())
    for left in base.glob(f"{_SOCKETS}*"):
        owner = left.name.removeprefix(_SOCKETS).split("-")[0]
        if owner.isdigit() and start_ticks(int(owner)) is None:
            shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=f"{_SOCKETS}{os.getpid()}-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def disk_words(action: str, error: OSError) -> SlipwayError:
    return explain(action, 1, error.strerror or str(error))
