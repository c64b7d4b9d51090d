"""Processes of a cluster: started, found again by id and start time, and ended by id.

`processes.json` lists them. A process carries the folder in its environment as well: one that was
started just before its starter was killed is found by that.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from tests.cluster.errors import NotReady
from tests.cluster.folder import Folder

MARK = "SLIPWAY_CLUSTER_FOLDER"
SAME_START_SECONDS = 0.02
FILE = "processes.json"
KILLED_SECONDS = 10.0
_WRITING = threading.Lock()
"""Parts are started side by side; one of them writes the list at a time."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """`started` is the kernel's start time in seconds since 1970: an id alone may be another's."""

    pid: int
    started: float
    argv: list[str]

    def process(self) -> psutil.Process | None:
        """None when it has ended."""
        with contextlib.suppress(psutil.NoSuchProcess):
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.started) < SAME_START_SECONDS
            if same and found.status() != psutil.STATUS_ZOMBIE:
                return found
        return None


def recorded(folder: Folder) -> dict[str, Recorded]:
    """By name."""
    return {name: Recorded(**value) for name, value in folder.read(FILE).items()}


def alive(folder: Folder, name: str) -> psutil.Process | None:
    """The process of that name, or None when it was never started or has ended."""
    found = recorded(folder).get(name)
    return found.process() if found else None


def worker(folder: Folder, name: str) -> psutil.Process | None:
    """The program itself, where `alive` is the nsenter or unshare around it."""
    found = alive(folder, name)
    if found and Path(recorded(folder)[name].argv[0]).name in ("nsenter", "unshare"):
        with contextlib.suppress(psutil.NoSuchProcess, IndexError):
            return found.children()[0]
    return found


def start(folder: Folder, name: str, argv: Sequence[str], **variables: str) -> int:
    """Start in the background, output to `logs/NAME.log`. Returns the id."""
    folder.logs.mkdir(parents=True, exist_ok=True)
    with (folder.logs / f"{name}.log").open("ab") as log:
        child = subprocess.Popen(
            [*argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=folder.path,
            env={**os.environ, MARK: str(folder.path), **variables},
        )
    entry = Recorded(child.pid, psutil.Process(child.pid).create_time(), [*argv])
    with _WRITING:
        folder.write(FILE, {**folder.read(FILE), name: asdict(entry)})
    return child.pid


def stop(folder: Folder, name: str, patience_seconds: float = 5.0) -> None:
    """SIGTERM, then SIGKILL. Quiet when it has ended already.

    What holds namespaces takes no SIGTERM: it is killed, and the kernel ends all that is in them.
    """
    for process in (worker(folder, name), alive(folder, name)):
        if process is None:
            continue
        with contextlib.suppress(psutil.NoSuchProcess):
            holds = process.name() in ("bash", "unshare")
            if not holds:
                process.terminate()
            _ended(process, 0 if holds else patience_seconds)


def _ended(process: psutil.Process, patience_seconds: float) -> None:
    if not _gone(process, patience_seconds):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
        _gone(process, KILLED_SECONDS)


def _gone(process: psutil.Process, seconds: float) -> bool:
    """Whether it ended in that time; one that nobody has asked for its exit code has ended."""
    deadline = time.monotonic() + seconds
    with contextlib.suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
    return True


def forget(folder: Folder, name: str) -> None:
    with _WRITING:
        left = folder.read(FILE)
        left.pop(name, None)
        folder.write(FILE, left)


def marked(folder: Folder) -> list[psutil.Process]:
    """Living processes on this machine that were started for this folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == str(folder.path) and process.pid != os.getpid():
                found.append(process)
    return [process for process in found if _gone(process, 0) is False]


def end_all(folder: Folder, patience_seconds: float = 20.0) -> None:
    """SIGKILL, by id, every process of this folder at once, until none is left.

    For what keeps nothing. Some programs (redis) write over their environment: those are in the list.
    """
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        listed = [alive(folder, name) for name in recorded(folder)]
        left = [*(process for process in listed if process), *marked(folder)]
        if not left:
            return
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.05)


def free_port() -> int:
    """One the system says nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(
    what: str, ready: Callable[[], bool], seconds: float, folder: Folder, name: str = ""
) -> None:
    """Until `ready` says so. Raises NotReady with the end of the log of process `name`."""
    deadline = time.monotonic() + seconds
    while not ready():
        ended = bool(name) and alive(folder, name) is None
        if ended or time.monotonic() > deadline:
            log = folder.logs / f"{name}.log"
            tail = log.read_text("utf-8", "replace")[-1500:] if log.exists() else ""
            said = f"{name} ended" if ended else f"not after {seconds:.0f} s"
            raise NotReady(f"{what}: {said}\n{tail}", f"read {log if name else folder.logs}")
        time.sleep(0.1)
