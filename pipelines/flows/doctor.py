"""What is wrong with a machine, said before it hurts. Pure: it judges facts that it is given."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

LEAST_DISK_BYTES = 1_000_000_000
GOOD_DISK_BYTES = 4_000_000_000
GOOD_MEMORY_BYTES = 2_500_000_000
GOOD_FILE_LIMIT = 1024
GOOD_INOTIFY = 64
LONGEST_RUNTIME = 60  # bytes, so that <runtime>/<env>/<slot>-<process>.sock stays under 107


@dataclass(frozen=True, slots=True)
class Finding:
    """`level`: ok, warn (it will hurt later) or fail (it cannot work)."""

    name: str
    level: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was asked of the machine. `ports` maps a port we need to whoever else holds it."""

    state: Path
    runtime: Path
    free_bytes: int
    memory_bytes: int
    write_error: str
    file_limit: tuple[int, int]
    inotify: int | None
    is_root: bool
    namespace_error: str
    git: str
    last_commit_at: datetime | None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    ports: Mapping[int, str] = field(default_factory=dict)
    left_overs: Sequence[str] = ()


def examine(facts: Facts) -> list[Finding]:
    """Every check, in the order a person would want to mend them."""
    checks: Sequence[Callable[[Facts], Finding]] = (
        _python, _git, _state, _disk, _memory, _paths, _files, _inotify, _namespaces, _clock,
        _ports, _left_overs,
    )  # fmt: skip
    return [check(facts) for check in checks]


def _python(facts: Facts) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", "ok", f"Python {version}")


def _git(facts: Facts) -> Finding:
    if not facts.git:
        return Finding("git", "fail", "git was not found", "install the package 'git'")
    return Finding("git", "ok", facts.git)


def _state(facts: Facts) -> Finding:
    if facts.write_error:
        return Finding(
            "state", "fail", f"the state folder cannot be written: {facts.write_error}",
            "make it writable, or name another one with --state",
        )  # fmt: skip
    return Finding("state", "ok", str(facts.state))


def _disk(facts: Facts) -> Finding:
    words = f"{facts.free_bytes / 1e9:.1f} GB free"
    if facts.free_bytes < LEAST_DISK_BYTES:
        return Finding(
            "disk", "fail", words, "free at least 1 GB: old backups lie in environments/"
        )
    if facts.free_bytes < GOOD_DISK_BYTES:
        return Finding("disk", "warn", words, "an installation grows to about 4 GB with backups")
    return Finding("disk", "ok", words)


def _memory(facts: Facts) -> Finding:
    words = f"{facts.memory_bytes / 1e9:.1f} GB available"
    if facts.memory_bytes < GOOD_MEMORY_BYTES and not facts.left_overs:
        return Finding(
            "memory", "warn", words, "three environments with both slots need about 2.5 GB"
        )
    return Finding("memory", "ok", words)


def _paths(facts: Facts) -> Finding:
    length = len(str(facts.runtime).encode())
    if length > LONGEST_RUNTIME:
        return Finding("paths", "fail", f"{facts.runtime} is {length} bytes: too long for sockets")
    return Finding("paths", "ok", f"sockets in {facts.runtime}")


def _files(facts: Facts) -> Finding:
    soft, hard = facts.file_limit
    if soft < GOOD_FILE_LIMIT:
        return Finding("open files", "warn", f"limit {soft} (hard {hard})", "ulimit -n 4096")
    return Finding("open files", "ok", f"limit {soft}")


def _inotify(facts: Facts) -> Finding:
    if facts.inotify is not None and facts.inotify < GOOD_INOTIFY:
        return Finding(
            "inotify", "warn", f"{facts.inotify} instances",
            "sudo sysctl fs.inotify.max_user_instances=512",
        )  # fmt: skip
    return Finding("inotify", "ok", f"{facts.inotify or 'no'} instances")


def _namespaces(facts: Facts) -> Finding:
    if facts.is_root and facts.namespace_error:
        return Finding(
            "user namespaces", "fail", f"root, and unshare -U says: {facts.namespace_error}",
            "run as an ordinary user: PostgreSQL does not run as root",
        )  # fmt: skip
    return Finding("user namespaces", "ok", "works" if facts.is_root else "not needed")


def _clock(facts: Facts) -> Finding:
    last = facts.last_commit_at
    if last is not None and facts.now < last:
        behind = (last - facts.now).total_seconds()
        return Finding(
            "clock", "warn", f"the clock is {behind:.0f} s behind the last thing recorded here",
            "set it right: timedatectl; leases and windows are measured without it meanwhile",
        )  # fmt: skip
    return Finding("clock", "ok", facts.now.isoformat(timespec="seconds"))


def _ports(facts: Facts) -> Finding:
    if facts.ports:
        words = "; ".join(f"{port} is held by {who}" for port, who in sorted(facts.ports.items()))
        return Finding(
            "ports", "fail", words, "stop it, or choose others: slipway up --base-port N"
        )
    return Finding("ports", "ok", "free or ours")


def _left_overs(facts: Facts) -> Finding:
    if facts.left_overs:
        return Finding(
            "left-over processes", "warn", "; ".join(facts.left_overs),
            "slipway up adopts or replaces them; slipway down ends them",
        )  # fmt: skip
    return Finding("left-over processes", "ok", "none")
