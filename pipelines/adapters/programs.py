"""Programs that a check starts: clean environment, own process group, limits on time and output."""

from __future__ import annotations

import os
import secrets
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from pipelines.adapters.process import end_marked, start_ticks
from pipelines.stages.protocol import Done

MARKER = "SLIPWAY_CHECK"
_LOOK_SECONDS = 0.1
_PASSED_ON = ("PATH", "UV_CACHE_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH")


class LocalPrograms:
    """`stages.protocol.Programs`. `home` is a scratch folder: HOME and TMPDIR lie in it.

    Whatever a program leaves running, in its process group or out of it, is ended with it: all of
    them carry a marker in their environment.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._guard = threading.Lock()
        self._running: set[int] = set()
        self._stopped = threading.Event()

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        seconds: float,
        variables: Mapping[str, str] | None = None,
        stdin: str = "",
        output_bytes: int = 20_000_000,
        memory_bytes: int | None = None,
    ) -> Done:
        """`output_bytes` is for standard output and error together; `memory_bytes` of address space
        for each process. Raises nothing for a program
        that fails, hangs, floods or is missing: `Done.why` says it."""
        began = time.monotonic()
        marker = own_marker()
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            tempfile.TemporaryFile() as given,
        ):
            given.write(stdin.encode("utf-8", "surrogateescape"))
            given.seek(0)
            with self._guard:
                if self._stopped.is_set():
                    return Done(None, "", "", 0.0, "stopped")
                try:
                    process = subprocess.Popen(
                        [*_limited(memory_bytes), *(str(word) for word in argv)],
                        cwd=folder,
                        env=self._environment(variables or {}, marker),
                        stdin=given,
                        stdout=out,
                        stderr=err,
                        start_new_session=True,
                    )
                except (OSError, ValueError) as error:
                    return Done(None, "", f"{argv[0]}: {error}", 0.0, "missing")
                self._running.add(process.pid)
            try:
                why = self._watch(process.pid, (out, err), began + seconds, output_bytes)
            finally:
                _kill_group(process.pid)
                code = process.wait()
                with self._guard:
                    self._running.discard(process.pid)
                end_marked(f"{MARKER}={marker}")
            return Done(
                None if why else code,
                _read(out, output_bytes),
                _read(err, output_bytes),
                time.monotonic() - began,
                why,
            )

    def stop(self) -> None:
        """End everything that runs, and start nothing any more."""
        with self._guard:
            self._stopped.set()
            for pid in self._running:
                _kill_group(pid)

    def close(self) -> None:
        """End everything, daemons with an environment of their own too: a database server of a
        test names its folder, which lies in `home`."""
        self.stop()
        name = os.fsencode(self._home)
        for entry in os.listdir("/proc"):
            if entry.isdigit() and int(entry) != os.getpid():
                with suppress(OSError):
                    if name in Path(f"/proc/{entry}/cmdline").read_bytes():
                        os.kill(int(entry), signal.SIGKILL)

    def _watch(
        self, pid: int, files: tuple[IO[bytes], IO[bytes]], until: float, output_bytes: int
    ) -> str:
        """Returns when it ended (empty) or must be ended (the reason)."""
        descriptor = os.pidfd_open(pid)
        try:
            while True:
                ended, _, _ = select.select([descriptor], [], [], _LOOK_SECONDS)
                if sum(os.fstat(file.fileno()).st_size for file in files) > output_bytes:
                    return "output"
                if self._stopped.is_set():
                    return "stopped"
                if ended:
                    return ""
                if time.monotonic() > until:
                    return "timeout"
        finally:
            os.close(descriptor)

    def _environment(self, variables: Mapping[str, str], marker: str) -> dict[str, str]:
        """Nothing of the person's shell but where programs and certificates are. No bytecode is
        written: what is judged is never written to."""
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {
            "PATH": os.defpath,
            **kept,
            "HOME": str(self._home),
            "TMPDIR": str(self._home),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "NO_COLOR": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONNOUSERSITE": "1",
            **variables,
            MARKER: marker,
        }


def _limited(memory_bytes: int | None) -> list[str]:
    """Set by a shell that becomes the program: code between fork and exec is not safe in threads."""
    if memory_bytes is None:
        return []
    return ["/bin/sh", "-c", f'ulimit -v {memory_bytes // 1024} && exec "$0" "$@"']


def own_marker() -> str:
    """`<pid>-<start ticks>-<random>`: who started it, and which start of it."""
    return f"{os.getpid()}-{start_ticks(os.getpid())}-{secrets.token_hex(6)}"


def of_living(marker: str) -> bool:
    """Whether who has this marker still runs."""
    try:
        pid, ticks = marker.split("-")[:2]
        return start_ticks(int(pid)) == int(ticks)
    except ValueError:
        return False


def end_left_overs() -> int:
    """End what checks left running that were killed themselves; how many there were."""
    ended = 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with suppress(OSError):
            words = Path(f"/proc/{entry}/environ").read_bytes().split(b"\0")
            mark = next((w for w in words if w.startswith(f"{MARKER}=".encode())), b"")
            if mark and not of_living(mark.decode("utf-8", "replace").partition("=")[2]):
                os.kill(int(entry), signal.SIGKILL)
                ended += 1
    return ended


def _kill_group(pid: int) -> None:
    with suppress(OSError):
        os.killpg(pid, signal.SIGKILL)


def _read(file: IO[bytes], limit: int) -> str:
    file.seek(0)
    return file.read(limit).decode("utf-8", "replace")
