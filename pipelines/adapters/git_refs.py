"""Reading branch heads from the files of a bare repository, without starting git."""

from __future__ import annotations

import re
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def reachable(repository: Path) -> bool:
    """Whether the repository's own HEAD can be read."""
    try:
        return bool((repository / "HEAD").read_bytes())
    except OSError:
        return False


def read_ref(repository: Path, ref: str) -> str | None:
    """Commit id of `refs/heads/…`; None when there is none. Raises OSError when it cannot be read,
    ValueError when what stands there is no commit id (an unfinished write after power loss)."""
    try:
        return _commit((repository / ref).read_text(), ref)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return _packed(repository, ref)


def _packed(repository: Path, ref: str) -> str | None:
    try:
        lines = (repository / "packed-refs").read_text().splitlines()
    except FileNotFoundError:
        return None
    for line in lines:
        commit, _, name = line.partition(" ")
        if name == ref:
            return _commit(commit, ref)
    return None


def _commit(text: str, ref: str) -> str:
    commit = text.strip()
    if not _COMMIT.fullmatch(commit):
        raise ValueError(f"{ref} holds {commit[:60]!r}, not a commit id")
    return commit
