"""A small git repository to change: files in, commits out, and a `Change` between branches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipelines.adapters.change import Changes, Wanted
from pipelines.model.check import Change
from tests.support.strategy_change import git


class Repository:
    """Begins on `develop` with a first commit of `files`."""

    def __init__(self, folder: Path, files: Mapping[str, str] | None = None) -> None:
        self.folder = folder / "repository"
        self.trees = folder / "trees"
        self.folder.mkdir(parents=True)
        git(self.folder, "init", "--quiet", "--initial-branch=develop")
        self.commit({"README.md": "# Tiny\n", **(files or {})})

    def branch(self, name: str, start: str = "HEAD") -> None:
        git(self.folder, "switch", "--quiet", "--create", name, start)

    def commit(self, files: Mapping[str, str | None], subject: str = "Change files") -> str:
        """None removes a file."""
        for path, text in files.items():
            file = self.folder / path
            if text is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", "-m", subject)
        return git(self.folder, "rev-parse", "HEAD")

    def read(self, wanted: Wanted | None = None) -> tuple[Change, tuple[str, ...]]:
        return Changes(self.folder, self.trees).read(wanted or Wanted())

    def change(self, wanted: Wanted | None = None) -> Change:
        return self.read(wanted)[0]
