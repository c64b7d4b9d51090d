"""What `slipway doctor` asks the machine: versions, disk, limits, ports, left-over processes."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psutil


def holder_of(port: int) -> str | None:
    """`name, pid N` of the process that listens on a TCP port, None when the port is free."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return None
    except OSError:
        return _listener(port) or "another user's process"


def _listener(port: int) -> str | None:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.pid:
                process = psutil.Process(connection.pid)
                return f"{process.name()}, pid {process.pid}"
    except psutil.Error:
        return None
    return None


def free_bytes(folder: Path) -> int:
    """Free space where `folder` lies or will lie."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def writable(folder: Path) -> str:
    """Empty when a file can be made there; else what the system says."""
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".slipway-"):
            return ""
    except OSError as error:
        return f"{folder}: {error.strerror}"


def open_file_limit() -> tuple[int, int]:
    """(soft, hard) limit of open files of a process."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def inotify_instances() -> int | None:
    try:
        return int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    except (OSError, ValueError):
        return None


def memory_bytes() -> int:
    return int(psutil.virtual_memory().available)


def user_namespaces() -> str:
    """Empty when `unshare -U` works. PostgreSQL refuses root; a user namespace satisfies it."""
    try:
        done = subprocess.run(
            ["unshare", "-U", "--map-user=1000", "true"],
            capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    except OSError as error:
        return f"unshare: {error.strerror}"
    return done.stderr.strip() if done.returncode else ""


def git_version() -> str:
    """`git version 2.39.5`, empty when git is not there."""
    try:
        done = subprocess.run(["git", "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def left_overs(state: Path, runtime: Path) -> list[str]:
    """`name, pid N` of processes whose command line or marker names this installation."""
    found = []
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter(["pid", "name", "cmdline"]):
        words = " ".join(process.info["cmdline"] or [])
        ours = f"{state}/" in words or f"{state} " in words or f"{runtime}/" in words
        if ours and process.info["pid"] not in own:
            found.append(f"{process.info['name']}, pid {process.info['pid']}")
    return found
