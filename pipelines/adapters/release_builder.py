"""Building a release from a commit, and a damaged virtual environment anew from its wheel.

Everything is made in a folder with a name nobody reads, and renamed when it is whole and on disk.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pipelines.adapters import release_source
from pipelines.adapters import release_venv_maker as venv_maker
from pipelines.adapters.files import read_text, sync_folder, write_whole, writing
from pipelines.adapters.manifest import release_id, to_json
from pipelines.adapters.release_folder import MANIFEST, ReleaseFolder
from pipelines.adapters.release_index import ReleaseIndex, one_at_a_time
from pipelines.adapters.release_source import Source, read_source
from pipelines.adapters.release_venv import ReleaseVenv
from pipelines.adapters.uv import Uv
from pipelines.adapters.wheel import artifact_digest, file_digest
from pipelines.model import application_yaml
from pipelines.model.errors import NeedsPerson
from pipelines.model.image import DOCKERFILE
from pipelines.model.release import Release

_WAIT_SECONDS = 600.0


class ReleaseBuilder:
    """Writes what `ReleaseFolder` reads."""

    def __init__(self, folder: Path, uv: Uv) -> None:
        self._folder = folder
        self._uv = uv
        self._present = ReleaseFolder(folder)
        self._index = ReleaseIndex(folder)

    def build(self, checkout: Path, *, allow_dirty: bool = False, commit: str = "") -> Release:
        source = read_source(checkout, allow_dirty=allow_dirty, commit=commit)
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
        return self._present.load(release.id)

    def give_alias(self, release: Release, alias: str) -> None:
        with one_at_a_time(self._folder, _WAIT_SECONDS), writing(self._folder):
            self._index.give_alias(release, alias, self._present.numbered())

    def repair(self, release: Release) -> None:
        """Nothing when somebody else repaired it meanwhile."""
        with one_at_a_time(self._folder, _WAIT_SECONDS):
            if not self._venv(release).whole():
                self._repair(release)

    def prune(self, keep: Sequence[str]) -> Sequence[str]:
        with one_at_a_time(self._folder, _WAIT_SECONDS), writing(self._folder):
            gone = [name for name in self._present.names() if name not in keep]
            for name in gone:
                _remove_tree(self._folder / name)
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
            version=self._index.version_for(identity, source.commit, self._present.numbered()),
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
        venv_maker.make(
            ReleaseVenv(folder, wheel.name), self._uv, self._sibling(parts["lock"], identity)
        )
        write_whole(folder / MANIFEST, to_json(release).encode())
        return release

    def _put_in_place(self, folder: Path, identity: str) -> None:
        target = self._folder / identity
        _remove_tree(target)  # a folder without a readable manifest
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
            venv_maker.make(venv, self._uv, self._sibling(release.parts["lock"], release.id))
            damaged = venv_maker.problems(venv)
            if damaged:
                raise NeedsPerson(
                    f"release {release.id} cannot be repaired: {damaged[0]}"
                    + (f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""),
                    hint="uv's cache is damaged too: uv cache clean, then run it again",
                )
            _remove_tree(folder / "venv")
            venv.path.rename(folder / "venv")

    def _sibling(self, lock: str, but: str) -> ReleaseVenv | None:
        """A whole environment with the same lock, to clone from."""
        for release in reversed(self._present.all()):
            venv = self._venv(release)
            if release.parts["lock"] == lock and release.id != but and venv_maker.fits(venv):
                return venv
        return None

    def _with_parts(self, parts: dict[str, str]) -> Release | None:
        for release in self._present.all():
            if {k: v for k, v in release.parts.items() if k != "wheel"} == parts:
                return release
        return None

    def _venv(self, release: Release) -> ReleaseVenv:
        return ReleaseVenv(self._folder / release.id, release.wheel)


def _keep_source(tree: Path, folder: Path) -> None:
    """Data that people may want to see again; the code is in the wheel."""
    shutil.copy2(tree / release_source.LOCK, folder / "requirements.lock")
    (folder / "source" / "app").mkdir(parents=True)
    shutil.copy2(tree / application_yaml.FILE, folder / "source" / application_yaml.FILE)
    if (tree / DOCKERFILE).is_file():
        shutil.copy2(tree / DOCKERFILE, folder / "source" / DOCKERFILE)
    for name in ("environments", "charts"):
        if (tree / name).is_dir():
            shutil.copytree(tree / name, folder / "source" / name)
    shutil.rmtree(tree)
    shutil.rmtree(folder / "dist", ignore_errors=True)


def _remove_tree(folder: Path) -> None:
    """Under a name nobody reads first, so that a half-removed folder is never mistaken."""
    if folder.exists():
        trash = folder.with_name(f".trash-{os.getpid()}-{folder.name}")
        folder.rename(trash)
        shutil.rmtree(trash, ignore_errors=True)
