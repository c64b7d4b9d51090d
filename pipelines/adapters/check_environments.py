"""Virtual environments of checks: `<folder>/<digest>`, made once from a hashed lock, wheels only.

Made under a name nobody reads and renamed when whole, so one that was killed half-way is never
used; two processes at once wait for each other.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from pipelines.adapters.files import read_text, writing
from pipelines.adapters.release_index import one_at_a_time
from pipelines.adapters.uv import Uv, base_python
from pipelines.model.errors import BadInput, Unavailable

KEEP = 8
_WAIT_SECONDS = 600.0
_UNUSED_SECONDS = 3600.0
_LARGEST_LOCK_BYTES = 5_000_000


class CheckEnvironments:
    """`stages.protocol.Environments` under one folder. `tools_lock` is the engine's own."""

    def __init__(self, folder: Path, tools_lock: Path, uv: Uv | None = None) -> None:
        self._folder = folder
        self._tools_lock = tools_lock
        self._uv = uv or Uv()

    def tools(self) -> Path:
        """Raises Unavailable (packages cannot be fetched), BadInput (the lock is wrong)."""
        return self.python(self._tools_lock).parent

    def tools_digest(self) -> str:
        return digest_of(_text(self._tools_lock))

    def python(self, lock: Path) -> Path:
        """As `tools`."""
        text = _text(lock)
        refuse_options(text, lock.name)
        home = self._folder / digest_of(text)
        python = home / "bin" / "python"
        if not _usable(python):
            with one_at_a_time(self._folder, _WAIT_SECONDS):
                if not _usable(python):
                    self._make(home, text, lock.name)
                    self._prune(home)
        with suppress(OSError):
            os.utime(home)
        return python

    def _make(self, home: Path, text: str, name: str) -> None:
        making = self._folder / f".making-{os.getpid()}-{home.name}"
        with writing(self._folder):
            for left in self._folder.glob(".making-*"):  # we hold the lock: nobody is at work
                shutil.rmtree(left, ignore_errors=True)
        try:
            self._uv.make_venv(making)
            copy = making / name
            copy.write_text(text)
            self._uv.install_lock(making, copy, name=name, wheels=True)
            with writing(home):
                shutil.rmtree(home, ignore_errors=True)
                making.rename(home)
        finally:
            shutil.rmtree(making, ignore_errors=True)
        if not _usable(home / "bin" / "python"):
            raise Unavailable(f"the environment {home} does not start", hint="slipway doctor")

    def _prune(self, but: Path) -> None:
        """The oldest go, never one that was used within the last hour."""
        homes = [p for p in self._folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
        homes.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for home in homes[KEEP:]:
            if home != but and time.time() - home.stat().st_mtime > _UNUSED_SECONDS:
                shutil.rmtree(home, ignore_errors=True)


def digest_of(lock: str) -> str:
    """Names an environment: what goes in, and the interpreter it is for."""
    return hashlib.sha256(f"{base_python()}\n{lock}".encode()).hexdigest()[:16]


def refuse_options(lock: str, name: str) -> None:
    """A lock names packages and their hashes. An option in it could name another index, another
    file or a folder to build. Raises BadInput."""
    for number, line in enumerate(lock.splitlines(), 1):
        words = line.strip()
        if words.startswith("-") and not words.startswith("--hash="):
            raise BadInput(
                f"{name}: line {number}: the option {words.split()[0]!r:.40} is refused",
                hint="a lock holds `package==version` lines and their hashes: make lock",
            )
        if "://" in words.partition("#")[0]:
            raise BadInput(
                f"{name}: line {number}: an address in place of a version is refused",
                hint="pin a version of the package index: make lock",
            )


def _text(lock: Path) -> str:
    try:
        return read_text(lock.parent, lock.name, limit=_LARGEST_LOCK_BYTES)
    except FileNotFoundError as error:
        raise BadInput(f"{lock.name}: there is no such file", hint="commit the lock") from error


def _usable(python: Path) -> bool:
    """A system upgrade breaks the link to the interpreter."""
    return os.access(python, os.X_OK)
