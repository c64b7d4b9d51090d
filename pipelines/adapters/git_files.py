"""Data files as committed: regular and small, or refused."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.adapters.files import check_size, decode, safe_parts
from pipelines.adapters.git_command import Git
from pipelines.model.errors import BadInput


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One line of `git ls-tree -l`. `size` in bytes, 0 for a folder."""

    mode: str
    kind: str
    id: str
    size: int
    path: str


def list_tree(git: Git, commit: str, *paths: str, recursive: bool = False) -> list[TreeEntry]:
    """Entries of a commit at or below `paths`. Raises GitFailed."""
    flags = ["-r"] if recursive else []
    out = git.run("ls-tree", "-z", "-l", "--full-tree", *flags, commit, "--", *paths)
    entries: list[TreeEntry] = []
    for line in out.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        facts, _, path = line.partition("\t")
        mode, kind, identity, size = facts.split()
        entries.append(TreeEntry(mode, kind, identity, int(size) if size != "-" else 0, path))
    return entries


def committed_text(git: Git, commit: str, path: str) -> str | None:
    """Text of a committed file, None when there is none. BadInput: a symbolic link, a folder, more
    than 1 MB, not UTF-8."""
    safe_parts(path)
    entries = list_tree(git, commit, path)
    if not entries:
        return None
    check_regular(entries[0])
    check_size(path, entries[0].size)
    return decode(path, git.run("cat-file", "blob", entries[0].id))


def check_regular(entry: TreeEntry) -> None:
    if not entry.mode.startswith("100"):
        kinds = {"120000": "a symbolic link", "160000": "a submodule", "040000": "a folder"}
        raise BadInput(
            f"{entry.path}: {kinds.get(entry.mode, entry.mode)} is refused",
            hint="commit a regular file in its place",
        )


def folders_in(git: Git, commit: str, path: str) -> list[str]:
    """Names of the folders right below `path`."""
    entries = list_tree(git, commit, f"{path}/")
    return [entry.path.rpartition("/")[2] for entry in entries if entry.kind == "tree"]
