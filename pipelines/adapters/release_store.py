"""Releases under the state folder: built once from a commit, named by their content.

`releases/<id>/`: manifest.json, the wheel, requirements.lock, source/ (data files), venv/. A
release is there when its folder has its name; until then it has a name nobody reads.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pipelines.adapters import release_source
from pipelines.adapters.files import read_text, sync_folder, write_whole, writing
from pipelines.adapters.manifest import from_json, release_id, to_json
from pipelines.adapters.release_index import ReleaseIndex, one_at_a_time
from pipelines.adapters.release_source import Source, read_source
from pipelines.adapters.release_venv import ReleaseVenv, remove_tree
from pipelines.adapters.uv import Uv
from pipelines.adapters.wheel import artifact_digest, file_digest
from pipelines.model import application_yaml
from pipelines.model.errors import BadInput, NeedsPerson, Refused, SlipwayError
from pipelines.model.release import Release

MANIFEST = "manifest.json"
_WAIT_SECONDS = 600.0


class LocalReleaseStore:
    """`flows.ports.ReleaseStore` under `state/releases`."""

    def __init__(self, state: Path, uv: Uv | None = None) -> None:
        self._folder = state / "releases"
        self._uv = uv or Uv()
        self._index = ReleaseIndex(self._folder)

    def build(self, checkout: Path, *, allow_dirty: bool = False) -> Release:
        source = read_source(checkout, allow_dirty=allow_dirty)
        found = self._with_parts(source.parts)
        if found is not None:
            return found
        with one_at_a_time(self._folder, _WAIT_SECONDS):
            found = self._with_parts(source.parts)
            if found is not None:
                return found
            with self._making() as folder:
                release = self._fill(folder, checkout, source)
                self._put_in_place(folder, release.id)
        return self.get(release.id)

    def get(self, release: str) -> Release:
        if (self._folder / release / MANIFEST).is_file() and release.startswith("r-"):
            return self._load(release)
        present = self.all()
        matching = [r for r in present if r.version == release.removeprefix("v")]
        matching = matching or [r for r in present if _is_named(r, release)]
        if len(matching) == 1:
            return matching[0]
        if matching:
            names = ", ".join(f"{r.id} (version {r.version})" for r in matching)
            raise Refused(
                f"release {release!r} is ambiguous: {names}", hint="give more of the name"
            )
        raise self._unknown(release)

    def newest(self) -> Release | None:
        return max(self.all(), key=lambda r: int(r.version), default=None)

    def all(self) -> Sequence[Release]:
        """Oldest first. A release with a damaged manifest is left out; `get` says what it is."""
        releases: list[Release] = []
        for name in self._names():
            try:
                releases.append(self._load(name))
            except SlipwayError:
                continue
        return sorted(releases, key=lambda r: int(r.version))

    def python(self, release: Release) -> Path:
        venv = self._venv(release)
        if not venv.whole():
            with one_at_a_time(self._folder, _WAIT_SECONDS):
                if not venv.whole():
                    self._repair(release)
        return venv.python

    def problems(self, release: Release) -> Sequence[str]:
        """Every installed file against what its package says. Seconds; for `slipway doctor`."""
        return self._venv(release).problems()

    def prune(self, keep: Sequence[str]) -> Sequence[str]:
        with one_at_a_time(self._folder, _WAIT_SECONDS), writing(self._folder):
            gone = [name for name in self._names() if name not in keep]
            for name in gone:
                remove_tree(self._folder / name)
            self._remove_left_overs()
        return gone

    def _fill(self, folder: Path, checkout: Path, source: Source) -> Release:
        tree = folder / "tree"
        release_source.extract(checkout, source, tree)
        application = application_yaml.parse(read_text(tree, application_yaml.FILE))
        values = release_source.environment_values(tree)
        built = self._uv.build_wheel(tree / "app", folder / "dist")
        wheel = built.rename(folder / built.name)
        parts = {**source.parts, "wheel": f"sha256:{file_digest(wheel)}"}
        identity = release_id(parts)
        release = Release(
            id=identity,
            version=self._index.version_for(identity, source.commit, list(self.all())),
            source_commit=source.commit,
            source_author=source.author,
            source_subject=source.subject,
            built_at=datetime.now(UTC).isoformat(timespec="seconds"),
            artifact=artifact_digest(wheel, application.module),
            wheel=wheel.name,
            parts=parts,
            migrations=release_source.migrations(tree, application),
            strategies=release_source.strategies(tree, application),
            application=application,
            values=values,
        )
        _keep_source(tree, folder)
        ReleaseVenv(folder, wheel.name).make(self._uv, self._sibling(parts["lock"], identity))
        write_whole(folder / MANIFEST, to_json(release).encode())
        return release

    def _put_in_place(self, folder: Path, identity: str) -> None:
        target = self._folder / identity
        remove_tree(target)  # a folder without a readable manifest
        os.sync()  # thousands of small files: one sync for all, before the name that promises them
        folder.rename(target)
        sync_folder(self._folder)

    @contextmanager
    def _making(self) -> Iterator[Path]:
        """A folder under a name nobody reads; gone again whatever happens, unless renamed."""
        folder = self._folder / f".making-{os.getpid()}"
        with writing(self._folder):
            self._remove_left_overs()
            folder.mkdir(mode=0o700)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def _remove_left_overs(self) -> None:
        """Of builds that were killed. Only while holding the lock: nobody is at work then."""
        for pattern in (".making-*", ".trash-*"):
            for folder in self._folder.glob(pattern):
                shutil.rmtree(folder, ignore_errors=True)

    def _repair(self, release: Release) -> None:
        """Beside the damaged one, then in its place. No network where uv's cache has the lock."""
        folder = self._folder / release.id
        wheel = folder / release.wheel
        if not wheel.is_file() or f"sha256:{file_digest(wheel)}" != release.parts["wheel"]:
            raise NeedsPerson(
                f"release {release.id} (version {release.version}) has lost its wheel",
                hint=f"git checkout {release.source_commit}, remove {folder}, slipway build",
            )
        with self._making() as making:
            for name in (release.wheel, "requirements.lock"):
                shutil.copy2(folder / name, making / name)
            venv = ReleaseVenv(making, release.wheel)
            venv.make(self._uv, self._sibling(release.parts["lock"], release.id))
            damaged = venv.problems()
            if damaged:
                raise NeedsPerson(
                    f"release {release.id} cannot be repaired: {damaged[0]}"
                    + (f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""),
                    hint="uv's cache is damaged too: uv cache clean, then run it again",
                )
            remove_tree(folder / "venv")
            venv.path.rename(folder / "venv")

    def _sibling(self, lock: str, but: str) -> ReleaseVenv | None:
        """A whole environment with the same lock, to clone from."""
        for release in reversed(self.all()):
            venv = self._venv(release)
            if release.parts["lock"] == lock and release.id != but and venv.fits():
                return venv
        return None

    def _with_parts(self, parts: dict[str, str]) -> Release | None:
        for release in self.all():
            if {k: v for k, v in release.parts.items() if k != "wheel"} == parts:
                return release
        return None

    def _venv(self, release: Release) -> ReleaseVenv:
        return ReleaseVenv(self._folder / release.id, release.wheel)

    def _names(self) -> list[str]:
        try:
            names = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return []
        return [n for n in names if n.startswith("r-") and (self._folder / n / MANIFEST).is_file()]

    def _load(self, name: str) -> Release:
        file = f"{name}/{MANIFEST}"
        return from_json(read_text(self._folder, file, limit=20_000_000), file)

    def _unknown(self, name: str) -> SlipwayError:
        if not name or "/" in name:
            return BadInput(f"{name!r} is not the name of a release", hint="see `slipway releases`")
        for identity, entry in self._index.entries().items():
            if identity.startswith(name) or entry["version"] == name.removeprefix("v"):
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
    if len(digits) < 4:
        return False
    by_commit = len(name) >= 7 and release.source_commit.startswith(name)
    return release.id.startswith(f"r-{digits}") or by_commit


def _keep_source(tree: Path, folder: Path) -> None:
    """Data that people may want to see again; the code is in the wheel."""
    shutil.copy2(tree / release_source.LOCK, folder / "requirements.lock")
    (folder / "source" / "app").mkdir(parents=True)
    shutil.copy2(tree / application_yaml.FILE, folder / "source" / application_yaml.FILE)
    for name in ("environments", "charts"):
        if (tree / name).is_dir():
            shutil.copytree(tree / name, folder / "source" / name)
    shutil.rmtree(tree)
    shutil.rmtree(folder / "dist", ignore_errors=True)
