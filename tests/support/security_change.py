"""A small repository with a feature branch, and a workshop to judge it in: real git, real programs."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from pipelines.adapters.advisory_snapshot import read_snapshot
from pipelines.adapters.change import Changes, Wanted
from pipelines.adapters.history import GitHistory
from pipelines.adapters.programs import LocalPrograms
from pipelines.model.check import Change
from pipelines.stages.protocol import Environments, Options, Workshop
from tests.support.strategy_change import git

NOW = datetime(2026, 7, 1, tzinfo=UTC)
HASH = "--hash=sha256:" + "ab" * 32
LOCK = f"example==1.2.0 \\\n    {HASH}\nother-thing==2.0 \\\n    {HASH}\n"
BRANCH = "feature/x"


class SmallRepository:
    """`develop` holds a lock and a module; `feature/x` is checked out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repository"
        self.trees = folder / "trees"
        self.folder.mkdir(parents=True)
        git(self.folder, "init", "--quiet", "--initial-branch", "develop")
        self.commit({"requirements.lock": LOCK, "pipelines/a.py": "A = 1\n"}, "Begin")
        git(self.folder, "switch", "--quiet", "--create", BRANCH)

    def commit(self, files: Mapping[str, str | bytes | None], subject: str = "Change") -> str:
        """`None` removes a file."""
        for path, text in files.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                file.unlink()
            else:
                file.write_bytes(text if isinstance(text, bytes) else text.encode())
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", "-m", subject)
        return git(self.folder, "rev-parse", "HEAD")

    @property
    def changes(self) -> Changes:
        return Changes(self.folder, self.trees)

    def change(self, *, everything: bool = False, pull_request: str | None = None) -> Change:
        wanted = Wanted(branch=BRANCH, everything=everything, pull_request=pull_request)
        return self.changes.read(wanted)[0]


@dataclass
class Bench:
    """Makes workshops; whatever they started is ended by `close`."""

    folder: Path
    environments: Environments
    made: list[LocalPrograms] = field(default_factory=list)

    def workshop(self, repository: SmallRepository, **changed: Any) -> Workshop:
        place = self.folder / f"work-{len(self.made)}"
        for name in ("work", "reports", "home"):
            (place / name).mkdir(parents=True)
        programs = LocalPrograms(place / "home")
        self.made.append(programs)
        asked: dict[str, Any] = {
            "programs": programs,
            "environments": self.environments,
            "folder": place / "work",
            "reports": place / "reports",
            "now": lambda: NOW,
            "options": Options(advisories=snapshot(self.folder / "advisories.tgz", [])),
            "history": GitHistory(repository.changes.git),
            "advisory_snapshot": read_snapshot,
        }
        return Workshop(**{**asked, **changed})

    def close(self) -> None:
        for programs in self.made:
            programs.close()


class ScriptedTools:
    """Tools that are a script each, in place of the real ones."""

    def __init__(self, folder: Path, scripts: Mapping[str, str], real: Path) -> None:
        self._bin = folder / "scripted" / "bin"
        packages = self._bin.parent / "lib" / "python3" / "site-packages"
        (packages / "bandit-0.0.dist-info").mkdir(parents=True)
        self._bin.mkdir()
        whole = {name: f'exec {real / name} "$@"' for name in ("bandit", "python")}
        for name, text in {**whole, **scripts}.items():
            if text:
                (self._bin / name).write_text(f"#!/bin/sh\n{text}\n")
                (self._bin / name).chmod(0o755)

    def tools(self) -> Path:
        return self._bin

    def python(self, lock: Path) -> Path:
        raise AssertionError(f"nobody asks for {lock} here")


def record(
    identity: str = "PYSEC-2026-1", package: str = "example", **changed: Any
) -> dict[str, Any]:
    """An OSV record against `example` before 1.2.1."""
    affected = {
        "package": {"ecosystem": "PyPI", "name": package},
        "ranges": [
            {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2.1"}]},
        ],
        **{key: changed.pop(key) for key in ("ranges", "versions") if key in changed},
    }
    return {
        "id": identity,
        "modified": "2026-06-20T10:00:00Z",
        "details": "A hole.",
        "affected": [affected],
        **changed,
    }


def snapshot(file: Path, records: list[dict[str, Any]], *, modified: str = "2026-06-20") -> Path:
    """A .tgz with these and one record of another package that says how old it is."""
    filler = record("PYSEC-2026-9999", "something-else", modified=f"{modified}T00:00:00Z")
    with (
        gzip.GzipFile(file, "wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for one in [filler, *records]:
            name = one["affected"][0]["package"]["name"]
            content = yaml.safe_dump(one, sort_keys=False).encode()
            member = tarfile.TarInfo(f"vulns/{name}/{one['id']}.yaml")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file
