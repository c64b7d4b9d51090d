"""Versions: a plain counter over all releases ever built here, pruned ones included, and the alias
(`1.4.0`) of those that were cut."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.adapters.file_lock import wait_for_lock
from pipelines.adapters.files import write_whole, writing
from pipelines.model.errors import InProgress
from pipelines.model.release import Release

FILE = "index.json"


class ReleaseIndex:
    """`releases/index.json`: {"releases": {id: {"version", "source_commit", "alias"}}}; most have no
    alias."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def entries(self) -> dict[str, dict[str, str]]:
        try:
            found: Any = json.loads(self._path.read_text())["releases"]
        except (OSError, ValueError, KeyError, TypeError):
            return {}  # the manifests say the same
        return dict(found)

    def version_for(self, release: str, source_commit: str, present: list[Release]) -> str:
        """The version this release had before, else the next one. On disk when this returns."""
        entries = self._with(present)
        if release in entries:
            return entries[release]["version"]
        version = str(1 + max((int(entry["version"]) for entry in entries.values()), default=0))
        entries[release] = {"version": version, "source_commit": source_commit}
        self._write(entries)
        return version

    def give_alias(self, release: Release, alias: str, present: list[Release]) -> None:
        """People call the release by `alias` from now on. On disk when this returns."""
        entries = self._with(present)
        if entries[release.id].get("alias") != alias:
            entries[release.id] = {**entries[release.id], "alias": alias}
            self._write(entries)

    def _with(self, present: list[Release]) -> dict[str, dict[str, str]]:
        """What the file says and, where it was lost, what the manifests say."""
        found = {r.id: {"version": r.version, "source_commit": r.source_commit} for r in present}
        known = self.entries()
        return {**known, **{i: {**known.get(i, {}), **entry} for i, entry in found.items()}}

    def _write(self, entries: dict[str, dict[str, str]]) -> None:
        write_whole(self._path, json.dumps({"releases": entries}, indent=1).encode())


@contextmanager
def one_at_a_time(folder: Path, wait_seconds: float) -> Iterator[None]:
    """Only one process changes the releases. The kernel frees it when the process dies."""
    with writing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        wait_for_lock(
            descriptor,
            wait_seconds,
            lambda: InProgress(
                f"another build has been at work in {folder} for {wait_seconds:g} s",
                hint="wait for it, then run the same command again",
            ),
            poll_seconds=0.1,
        )
        yield
    finally:
        os.close(descriptor)
