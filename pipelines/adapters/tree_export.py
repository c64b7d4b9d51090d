"""A commit's files in a folder that nobody writes to: `<trees>/<tree id>`, made once.

Written from the objects themselves, not by `git archive`: attributes in the judged tree
(`export-ignore`, `export-subst`, line endings) could hide a file from its own check.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pipelines.adapters.files import safe_parts, writing
from pipelines.adapters.git_command import Git
from pipelines.adapters.git_files import TreeEntry, check_regular, list_tree
from pipelines.adapters.git_objects import read_objects
from pipelines.model.check import Tree
from pipelines.model.errors import BadInput, Unavailable

KEEP = 10
LARGEST_FILE_BYTES = 50_000_000
LARGEST_TREE_BYTES = 1_000_000_000
_UNUSED_SECONDS = 3600.0
_BATCH = 200


class Trees:
    """Exports commits below `folder`. `parts`: only these paths at the top, for who reads no more;
    commits that are equal in them share an export. No parts: everything."""

    def __init__(self, folder: Path, parts: Sequence[str] = ()) -> None:
        self._folder = folder
        self._parts = frozenset(parts)

    def export(self, git: Git, commit: str, *, strict: bool) -> Tree:
        """`strict` refuses (BadInput) a symbolic link, a submodule, a huge file; otherwise, for a
        tree that is only compared with, they are left out."""
        tree = git.text("rev-parse", "--verify", f"{commit}^{{tree}}")
        entries = _exportable(list_tree(git, commit, recursive=True), strict=strict)
        top = {e.path: e.id for e in list_tree(git, commit)}
        home = self._folder / (self._name(top) if self._parts else tree)
        if not home.is_dir():
            self._make(git, home, [e for e in entries if self._wanted(e)])
            self._prune(but=home)
        with suppress(OSError):
            os.utime(home)
        return Tree(commit, home, top)

    def _name(self, top: Mapping[str, str]) -> str:
        parts = [[part, top.get(part, "")] for part in sorted(self._parts)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]

    def _wanted(self, entry: TreeEntry) -> bool:
        return not self._parts or entry.path.partition("/")[0] in self._parts

    def _make(self, git: Git, home: Path, entries: Sequence[TreeEntry]) -> None:
        making = self._folder / f".making-{os.getpid()}-{secrets.token_hex(4)}"
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                making.mkdir()
                for start in range(0, len(entries), _BATCH):
                    _write(git, making, entries[start : start + _BATCH])
                for folder, _, _ in os.walk(making, topdown=False):
                    os.chmod(folder, 0o555)  # noqa: S103 - others may look
                os.chmod(making, 0o755)  # noqa: S103 - a folder that is renamed must be writable
                with suppress(OSError):  # somebody else was quicker
                    making.rename(home)
                os.chmod(home, 0o555)  # noqa: S103 - others may look
            finally:
                remove(making)

    def _prune(self, *, but: Path) -> None:
        """The oldest go, never one that was used within the last hour. So do half-made ones."""
        now = time.time()
        found = sorted(self._folder.iterdir(), key=lambda path: -path.stat().st_mtime)
        whole = [path for path in found if not path.name.startswith(".")]
        half = [path for path in found if path.name.startswith(".")]
        for path in [*whole[KEEP:], *half]:
            with suppress(OSError):
                if path != but and now - path.stat().st_mtime > _UNUSED_SECONDS:
                    remove(path)


def remove(folder: Path) -> None:
    """A read-only tree too."""
    for inner, _, _ in os.walk(folder):
        with suppress(OSError):
            os.chmod(inner, 0o755)  # noqa: S103 - only to remove what is in it
    shutil.rmtree(folder, ignore_errors=True)


def _exportable(entries: Sequence[TreeEntry], *, strict: bool) -> list[TreeEntry]:
    kept = []
    for entry in entries:
        if strict:
            check_regular(entry)
            _check_size(entry)
        elif not entry.mode.startswith("100") or entry.size > LARGEST_FILE_BYTES:
            continue
        kept.append(entry)
    total = sum(entry.size for entry in kept)
    if total > LARGEST_TREE_BYTES:
        raise BadInput(
            f"the commit has {total:,} bytes of files, at most {LARGEST_TREE_BYTES:,} are judged",
            hint="keep large data outside the repository",
        )
    return kept


def _check_size(entry: TreeEntry) -> None:
    if entry.size > LARGEST_FILE_BYTES:
        raise BadInput(
            f"{entry.path}: {entry.size:,} bytes, at most {LARGEST_FILE_BYTES:,} go into a release",
            hint="keep large data outside the repository",
        )


def _write(git: Git, folder: Path, entries: Sequence[TreeEntry]) -> None:
    for entry, found in zip(entries, read_objects(git, [e.id for e in entries]), strict=True):
        if found is None:
            raise Unavailable(
                f"{entry.path}: the repository lacks object {entry.id}", hint="git fetch"
            )
        file = folder.joinpath(*safe_parts(entry.path))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(found[1])
        file.chmod(0o555 if entry.mode == "100755" else 0o444)
