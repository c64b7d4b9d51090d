"""The end of a file, and what is added to it later."""

from __future__ import annotations

from pathlib import Path

BLOCK_BYTES = 1 << 16


def last_lines(path: Path, count: int) -> list[str]:
    """At most `count` lines from the end, without reading a large file whole."""
    try:
        with path.open("rb") as stream:
            end = stream.seek(0, 2)
            data = b""
            while end > 0 and data.count(b"\n") <= count:
                start = max(0, end - BLOCK_BYTES)
                stream.seek(start)
                data = stream.read(end - start) + data
                end = start
    except FileNotFoundError:
        return []
    return data.decode(errors="replace").splitlines()[-count:]


class Follower:
    """Reads what is appended after it was made; a rotated file is read from its start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def new_lines(self) -> list[str]:
        if not self.path.exists():
            return []
        size = self.path.stat().st_size
        if size < self._offset:
            self._offset = 0
        with self.path.open("rb") as stream:
            stream.seek(self._offset)
            data = stream.read()
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        return data[:whole].decode(errors="replace").splitlines()
