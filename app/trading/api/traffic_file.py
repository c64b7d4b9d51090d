"""The file that says whether this process takes connections from the live socket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class TrafficSource(Protocol):
    """Who says whether this process is live: a file, or the row of the active slot."""

    live: bool

    def read(self) -> bool:
        """Read again; returns whether the process should be live."""

    def changed(self) -> bool:
        """Whether there is something new to read."""

    async def follow(self, tell: Callable[[], None]) -> None:
        """Watch by itself, if it can; calls `tell` after each change of `live`."""


class TrafficFile:
    """`live` or `idle` in a small file written by whoever switches the slots.

    Fails closed: a missing, unreadable or unknown word at start means idle. Later on such a word
    changes nothing, because a half-written file must not take a live slot off the air.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self.live = path is None

    def read(self) -> bool:
        """Read the file; returns whether the process should be live."""
        if self._path is None:
            return self.live
        try:
            status = self._path.stat()
            word = self._path.read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            return self.live
        self._seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        if word in ("live", "idle"):
            self.live = word == "live"
        return self.live

    def changed(self) -> bool:
        """Whether the file differs from what was read last: a lost signal heals within a tick."""
        if self._path is None:
            return False
        try:
            status = self._path.stat()
        except OSError:
            return False
        return (status.st_ino, status.st_mtime_ns, status.st_size) != self._seen

    async def follow(self, tell: Callable[[], None]) -> None:
        """Nothing to watch: a signal and the tick of the server are enough."""
