"""Generated copies by key: made once under a name nobody reads, renamed when whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipelines.adapters.file_lock import wait_for_lock
from pipelines.model.errors import Unavailable

KEEP = 2
WAIT_SECONDS = 300.0
_POLL_SECONDS = 0.1


class Templates:
    """`folder`/<key>/data, at most `KEEP` of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def made(self, key: str, make: Callable[[Path], None]) -> Iterator[Path]:
        """The folder of a key, made by `make` where it is not there; nobody removes it meanwhile.

        Raises Unavailable when somebody else is at it for too long, and what `make` raises.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        place = self._folder / key
        with self._alone():
            if not (place / "data").is_dir():
                self._make(place, make)
            with suppress(OSError):
                os.utime(place)
            yield place

    def _make(self, place: Path, make: Callable[[Path], None]) -> None:
        for left in self._folder.glob(".making-*"):  # we hold the lock: nobody is at work
            shutil.rmtree(left, ignore_errors=True)
        making = self._folder / f".making-{place.name}"
        try:
            making.mkdir(mode=0o755)
            make(making)
            shutil.rmtree(place, ignore_errors=True)
            making.rename(place)
        finally:
            shutil.rmtree(making, ignore_errors=True)
        others = [p for p in self._folder.iterdir() if p.is_dir() and p != place]
        for old in sorted(others, key=lambda path: path.stat().st_mtime)[: 1 - KEEP or None]:
            shutil.rmtree(old, ignore_errors=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """The lock ends with its process."""
        with (self._folder / "lock").open("w") as stream:
            wait_for_lock(stream.fileno(), WAIT_SECONDS, _late, poll_seconds=_POLL_SECONDS)
            yield


def _late() -> Exception:
    return Unavailable(
        "somebody else is making the generated copy for minutes",
        hint="wait for the other check and try again",
    )
