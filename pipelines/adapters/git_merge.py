"""Merging two commits by plumbing, in a bare repository: no work tree, no ref is moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.adapters.git_command import Git, GitFailed
from pipelines.adapters.git_objects import message_of
from pipelines.model.errors import NeedsPerson, Refused

_CONFLICT = 1
_SHOWN = 10


def merged_tree(git: Git, ours: str, theirs: str) -> str:
    """Tree id of the merge. Raises Refused naming the files in conflict, NeedsPerson when git is
    older than 2.38 (its merge-tree writes no tree)."""
    try:
        out = git.run("merge-tree", "--write-tree", "--name-only", "--no-messages", ours, theirs)
    except GitFailed as error:
        if error.code == _CONFLICT:
            raise _conflict(error, ours, theirs) from None
        if "usage:" in error.message or "unknown option" in error.message:
            raise NeedsPerson(
                "this git cannot merge without a work tree", hint="install git 2.38 or newer"
            ) from error
        raise
    return out.decode().strip()


def _conflict(error: GitFailed, ours: str, theirs: str) -> Refused:
    # The first line is the tree with conflict markers in it, then a line for each file.
    files = list(dict.fromkeys(error.output.decode("utf-8", "replace").splitlines()[1:]))
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    return Refused(
        f"{theirs[:12]} and {ours[:12]} conflict in {', '.join(files[:_SHOWN])}{more}",
        hint="bring your branch up to date: git fetch slipway && git merge slipway/develop, "
        "then push again",
    )


def write_commit(
    git: Git,
    tree: str,
    parents: Sequence[str],
    subject: str,
    trailers: Mapping[str, str],
    *,
    author: str,
) -> str:
    """A commit object by Slipway in the name of `author`; paragraphs after the first of `subject`
    are the body."""
    flags = [word for parent in parents for word in ("-p", parent)]
    out = git.run(
        *("commit-tree", tree, *flags, "-F", "-"),
        stdin=message_of(subject, trailers),
        identity=author,
    )
    return out.decode().strip()


def merge_commit(
    git: Git, ours: str, theirs: str, subject: str, trailers: Mapping[str, str], *, author: str
) -> str:
    """A commit with both as parents; raises like `merged_tree`."""
    tree = merged_tree(git, ours, theirs)
    return write_commit(git, tree, [ours, theirs], subject, trailers, author=author)


def move_refs(git: Git, moves: Sequence[tuple[str, str, str]]) -> None:
    """All (ref, new, old) or none; `old` empty: must not exist. Raises GitFailed."""
    nothing = "0" * 40
    lines = [f"update {ref} {new} {old or nothing}" for ref, new, old in moves]
    git.run(
        "update-ref",
        "--stdin",
        stdin="\n".join(["start", *lines, "prepare", "commit", ""]).encode(),
    )
