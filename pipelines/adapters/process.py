"""Processes by pid file, without ever hitting a reused pid; and commands that answer in JSON.

A pid file holds `<pid> <start ticks>` (field 22 of /proc/<pid>/stat). Both must match, and the
signal goes through a pidfd, so between the check and the signal nothing can change.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipelines.model.errors import Unavailable
from pipelines.targets.local.ports import CommandResult

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
STATE, START_TICKS = 0, 19  # positions behind the command's name in /proc/<pid>/stat


def stat_fields(pid: int) -> list[str] | None:
    """Fields of /proc/<pid>/stat from the state on; None when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()


def start_ticks(pid: int) -> int | None:
    """Start time in clock ticks since boot; None for no process and for a zombie."""
    fields = stat_fields(pid)
    if fields is None or fields[STATE] in "ZX":
        return None
    return int(fields[START_TICKS])


def read_pidfile(path: Path) -> tuple[int, int] | None:
    try:
        pid, ticks = path.read_text().split()
        return int(pid), int(ticks)
    except (OSError, ValueError):
        return None


class LocalProcesses:
    """Implements ports.Processes on Linux."""

    def alive(self, pidfile: Path) -> int | None:
        found = read_pidfile(pidfile)
        return found[0] if found and start_ticks(found[0]) == found[1] else None

    def stopped(self, pidfile: Path) -> bool:
        """Is it there but halted by SIGSTOP (or a debugger)?"""
        found = read_pidfile(pidfile)
        fields = stat_fields(found[0]) if found else None
        return bool(fields and fields[STATE] in "Tt")

    def signal(self, pidfile: Path, number: int) -> bool:
        """True when that very process got the signal."""
        found = read_pidfile(pidfile)
        if found is None:
            return False
        try:
            descriptor = os.pidfd_open(found[0])
        except OSError:
            return False
        try:
            if start_ticks(found[0]) != found[1]:
                return False
            if number == signal.SIGKILL:
                kill_children(found[0])
            signal.pidfd_send_signal(descriptor, number)
            return True
        except OSError:
            return False
        finally:
            os.close(descriptor)

    def wait_gone(self, pidfile: Path, seconds: float) -> bool:
        found = read_pidfile(pidfile)
        if found is None:
            return True
        try:
            descriptor = os.pidfd_open(found[0])
        except OSError:
            return True
        try:
            if start_ticks(found[0]) != found[1]:
                return True
            readable, _, _ = select.select([descriptor], [], [], seconds)
            return bool(readable)
        finally:
            os.close(descriptor)

    def resident_bytes(self, pid: int) -> int:
        """0 when the process is gone."""
        try:
            return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
        except (OSError, IndexError):
            return 0

    def age_seconds(self, pid: int) -> float:
        ticks = start_ticks(pid)
        if ticks is None:
            return 0.0
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / TICKS_PER_SECOND

    def json_command(
        self, argv: Sequence[str], env: Mapping[str, str], timeout_seconds: float
    ) -> CommandResult:
        code, output, errors = run_limited(argv, env, timeout_seconds)
        return CommandResult(code, last_json(output), errors)


def kill_children(pid: int) -> None:
    """SIGKILL to the process group, where the process leads one (every supervised one does)."""
    with suppress(OSError):
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)


def end_marked(*markers: str) -> None:
    """SIGKILL every process of ours that carries one of these `NAME=value` in its environment:
    what supervised processes started themselves does not die with them."""
    wanted = {marker.encode() for marker in markers}
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        with suppress(OSError):
            environment = Path(f"/proc/{entry}/environ").read_bytes().split(b"\0")
            if wanted.intersection(environment):
                os.kill(int(entry), signal.SIGKILL)


def run_limited(
    argv: Sequence[str], env: Mapping[str, str] | None, timeout_seconds: float, *, cwd: str = "/"
) -> tuple[int | None, str, str]:
    """(exit code or None when it was killed at the limit, stdout, stderr). Its children die too."""
    try:
        process = subprocess.Popen(
            list(argv),
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable(f"cannot start {argv[0]}: {error.strerror}") from None
    try:
        output, errors = process.communicate(timeout=timeout_seconds)
        return process.returncode, output, errors
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        _reap(process.pid)
        return None, output, errors
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def _reap(group: int) -> None:
    """In a pod nobody else does it: children of what was killed become children of this process."""
    with suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass


def last_json(output: str) -> Any:
    """The JSON a command printed: all of its output, or else its last line; None when neither."""
    for text in (output, output.strip().rpartition("\n")[2]):
        try:
            return json.loads(text)
        except ValueError:
            continue
    return None
