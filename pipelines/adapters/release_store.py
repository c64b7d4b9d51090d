"""Releases under the state folder: built once from a commit, named by their content.

`releases/<id>/`: manifest.json, the wheel, requirements.lock, source/ (data files), venv/. A
release is there when its folder has its name; until then it has a name nobody reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.adapters.release_folder import ReleaseFolder
from pipelines.adapters.release_venv import ReleaseVenv
from pipelines.model.errors import Refused
from pipelines.model.release import Release

if TYPE_CHECKING:
    from pipelines.adapters.release_builder import ReleaseBuilder
    from pipelines.adapters.uv import Uv


class LocalReleaseStore:
    """`flows.ports.ReleaseStore` under `state/releases`."""

    def __init__(self, state: Path, uv: Uv | None = None) -> None:
        self._folder = state / "releases"
        self._present = ReleaseFolder(self._folder)
        self._uv = uv

    def build(self, checkout: Path, *, allow_dirty: bool = False, commit: str = "") -> Release:
        return self._builder().build(checkout, allow_dirty=allow_dirty, commit=commit)

    def get(self, release: str) -> Release:
        return self._present.get(release)

    def newest(self) -> Release | None:
        return next(iter(reversed(self.all())), None)

    def all(self) -> Sequence[Release]:
        return self._present.all()

    def give_alias(self, release: Release, alias: str) -> None:
        self._builder().give_alias(release, alias)

    def python(self, release: Release) -> Path:
        venv = self._venv(release)
        if not venv.whole():
            self._builder().repair(release)
        return venv.python

    def source(self, release: Release) -> Path:
        folder = self._folder / release.id / "source"
        if not folder.is_dir():
            raise Refused(
                f"release {release.id} (version {release.version}) has lost its charts and settings",
                hint=f"git checkout {release.source_commit}, remove {folder.parent}, slipway build",
            )
        return folder

    def problems(self, release: Release) -> Sequence[str]:
        """Every installed file against what its package says. Seconds; for `slipway doctor`."""
        from pipelines.adapters.release_venv_maker import problems

        return problems(self._venv(release))

    def prune(self, keep: Sequence[str]) -> Sequence[str]:
        return self._builder().prune(keep)

    def _venv(self, release: Release) -> ReleaseVenv:
        return ReleaseVenv(self._folder / release.id, release.wheel)

    def _builder(self) -> ReleaseBuilder:
        """Imported late: archives, YAML and uv are nothing a rollback should wait for."""
        from pipelines.adapters.release_builder import ReleaseBuilder
        from pipelines.adapters.uv import Uv

        return ReleaseBuilder(self._folder, self._uv or Uv())
