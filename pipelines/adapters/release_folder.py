"""The releases that are there: `releases/<id>/manifest.json`, read and found by name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipelines.adapters.files import read_text
from pipelines.adapters.manifest import from_json
from pipelines.adapters.release_index import ReleaseIndex
from pipelines.model.errors import BadInput, Refused, SlipwayError
from pipelines.model.release import SHORTEST_NAME, Release

MANIFEST = "manifest.json"


class ReleaseFolder:
    """Reads `folder`; light, because a rollback waits for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, name: str) -> Release:
        """By its whole id. `version` is the alias of a release that was cut."""
        return self._called(self._manifest(name), ReleaseIndex(self._folder).entries())

    def _manifest(self, name: str) -> Release:
        file = f"{name}/{MANIFEST}"
        return from_json(read_text(self._folder, file, limit=20_000_000), file)

    @staticmethod
    def _called(release: Release, entries: dict[str, dict[str, str]]) -> Release:
        alias = entries.get(release.id, {}).get("alias")
        return replace(release, version=alias) if alias else release

    def names(self) -> list[str]:
        try:
            names = sorted(os.listdir(self._folder))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [n for n in names if n.startswith("r-") and (self._folder / n / MANIFEST).is_file()]

    def all(self) -> Sequence[Release]:
        """Oldest first. A release with a damaged manifest is left out; `get` says what it is."""
        entries = ReleaseIndex(self._folder).entries()
        return [self._called(release, entries) for release in self.numbered()]

    def numbered(self) -> list[Release]:
        """As `all`, each with its plain number as version."""
        releases: list[Release] = []
        for name in self.names():
            try:
                releases.append(self._manifest(name))
            except SlipwayError:
                continue
        return sorted(releases, key=lambda r: int(r.version))

    def get(self, release: str) -> Release:
        if (self._folder / release / MANIFEST).is_file() and release.startswith("r-"):
            return self.load(release)
        present = self.all()
        named = release.removeprefix("v")
        numbers = {r.id: r.version for r in self.numbered()}
        matching = [r for r in present if named in (r.version, numbers.get(r.id))]
        matching = matching or [r for r in present if _is_named(r, release)]
        if len(matching) == 1:
            return matching[0]
        if matching:
            names = ", ".join(f"{r.id} (version {r.version})" for r in matching)
            raise Refused(
                f"release {release!r} is ambiguous: {names}", hint="give more of the name"
            )
        raise self._unknown(release)

    def _unknown(self, name: str) -> SlipwayError:
        if not name or "/" in name:
            return BadInput(f"{name!r} is not the name of a release", hint="see `slipway releases`")
        for identity, entry in ReleaseIndex(self._folder).entries().items():
            by_id = len(name) >= SHORTEST_NAME and identity.startswith(name)
            if by_id or name.removeprefix("v") in (entry["version"], entry.get("alias")):
                return Refused(
                    f"release {identity} (version {entry['version']}) is unbuilt: it was removed",
                    hint=f"git checkout {entry['source_commit']} && slipway build",
                )
        if len(name) >= 7 and all(c in "0123456789abcdef" for c in name):
            return Refused(
                f"commit {name} is unbuilt: no release comes from it",
                hint=f"git checkout {name} && slipway build",
            )
        known = ", ".join(f"{r.id} (version {r.version})" for r in self.all()[-3:])
        return Refused(
            f"release {name!r} is unknown",
            hint=f"the newest are {known}" if known else "there is none yet: slipway build",
        )


def _is_named(release: Release, name: str) -> bool:
    """By the beginning of the id (`r-12ab` or `12ab`) or of its source commit."""
    digits = name.removeprefix("r-")
    if len(digits) < SHORTEST_NAME:
        return False
    by_commit = len(name) >= 7 and release.source_commit.startswith(name)
    return release.id.startswith(f"r-{digits}") or by_commit
