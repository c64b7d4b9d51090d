"""A control group of one's own under every controller, and its removal."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def hierarchies() -> list[Path]:
    """One folder on a machine with version 2 alone, one per controller on others."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    return [entry for entry in ROOT.iterdir() if entry.is_dir() and not entry.is_symlink()]


def make(name: str) -> None:
    for hierarchy in hierarchies():
        (hierarchy / name).mkdir(exist_ok=True)


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
