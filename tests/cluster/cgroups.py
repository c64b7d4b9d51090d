"""A control group of one's own under every controller, and its removal."""

from __future__ import annotations

import contextlib
import errno
import time
from pathlib import Path

from tests.cluster.errors import Missing

ROOT = Path("/sys/fs/cgroup")
WANTED = ("cpu", "cpuset", "hugetlb", "memory", "pids")
"""Controllers of version 2 that a kubelet looks for in its group, of those the machine has."""
LEAST = ("cpu", "memory", "pids")
OTHERS = "slipway-others"
"""Where the processes of a container go that are in the way in its topmost group."""


def hierarchies() -> list[Path]:
    """One folder on a machine with version 2 alone, one per controller on others."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    return [entry for entry in ROOT.iterdir() if entry.is_dir() and not entry.is_symlink()]


def make(name: str) -> None:
    """Raises Missing where groups cannot be made, or have no controllers."""
    try:
        if found := _controllers():
            _pass_down(found)
        for hierarchy in hierarchies():
            (hierarchy / name).mkdir(exist_ok=True)
    except OSError as problem:
        hint = "in a container: start it with --privileged, and a cgroup namespace of its own"
        raise Missing(f"control groups cannot be made: {problem}", hint) from None


def _controllers() -> list[str]:
    """Those a kubelet looks for; empty on a machine with version 1."""
    if not (ROOT / "cgroup.controllers").exists():
        return []
    found = (ROOT / "cgroup.controllers").read_text("utf-8").split()
    if absent := [name for name in LEAST if name not in found]:
        raise Missing(
            f"the topmost control group has no controller {', '.join(absent)}: {' '.join(found)}",
            "does another program hold them by version 1, or is this container not given them?",
        )
    return [name for name in WANTED if name in found]


def _pass_down(controllers: list[str]) -> None:
    """Let groups below have them. A container's topmost group gives nothing away while processes are
    in it: they go one group down, as in every container that runs containers."""
    words = " ".join(f"+{name}" for name in controllers)
    switch = ROOT / "cgroup.subtree_control"
    try:
        switch.write_text(words, "utf-8")
    except OSError as problem:
        if problem.errno != errno.EBUSY:
            raise
        (ROOT / OTHERS).mkdir(exist_ok=True)
        for pid in (ROOT / "cgroup.procs").read_text("utf-8").split():
            with contextlib.suppress(OSError):  # it has ended, or is the kernel's
                (ROOT / OTHERS / "cgroup.procs").write_text(pid, "utf-8")
        switch.write_text(words, "utf-8")


def standing(name: str) -> list[Path]:
    """Where a group of that name is."""
    return [top for hierarchy in hierarchies() if (top := hierarchy / name).is_dir()]


def remove(name: str, patience_seconds: float = 5.0) -> None:
    """From the leaves up; a group whose last process is still ending is tried again."""
    deadline = time.monotonic() + patience_seconds
    while (left := standing(name)) and time.monotonic() < deadline:
        for entry in sorted((e for top in left for e in [top, *top.rglob("*")]), reverse=True):
            if entry.is_dir():
                with contextlib.suppress(OSError):
                    entry.rmdir()
        if standing(name):
            time.sleep(0.1)
