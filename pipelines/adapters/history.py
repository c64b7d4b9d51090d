"""The lines that the commits of a change added, straight from git's objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipelines.adapters.git_command import Git, GitFailed
from pipelines.model.check import Change
from pipelines.model.errors import Unavailable
from pipelines.stages.protocol import AddedLine

LIMIT_SECONDS = 60.0
LARGEST_BYTES = 400_000_000

# `--text` and the two `--no-` options: attributes in the change must not make a file "binary" or
# send it through a converter, which would hide its lines. Merges show what neither parent had.
# Replacement refs could show other commits than those that are merged.
_LOG = (
    "-c",
    "core.useReplaceRefs=false",
    "log",
    "--no-walk=unsorted",
    "--stdin",
    "--format=commit %H",
    "--no-show-signature",
    "--patch",
    "--unified=0",
    "--inter-hunk-context=0",
    "--no-color",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--text",
    "--diff-merges=dense-combined",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
_HUNK = re.compile(rb"^(@@+) ((?:-\d+(?:,\d+)? )+)\+(\d+)(?:,(\d+))? @@+")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_LETTERS = {b"n": b"\n", b"t": b"\t", b'"': b'"', b"\\": b"\\"}


class GitHistory:
    """`stages.protocol.History` on a repository."""

    def __init__(self, git: Git) -> None:
        self._git = git

    def __call__(self, change: Change) -> Sequence[AddedLine]:
        """Raises Unavailable when git cannot say, or the change is too large to be searched."""
        wanted = [commit.id for commit in change.commits]
        if not wanted:
            return ()
        try:
            ids = "".join(f"{commit}\n" for commit in wanted).encode()
            out = self._git.run(*_LOG, stdin=ids, seconds=LIMIT_SECONDS)
        except GitFailed as error:
            raise Unavailable(
                f"the history of the change cannot be read: {error.message}"
            ) from error
        if len(out) > LARGEST_BYTES:
            raise Unavailable(f"the change adds more than {LARGEST_BYTES:,} bytes of patches")
        return list(added_lines(out))


def added_lines(log: bytes) -> Iterator[AddedLine]:
    """Reads what `git log --patch --unified=0` printed. Hunks are followed by their counts, so a line
    of a file that looks like a header of a patch stays a line of that file."""
    lines = iter(log.split(b"\n"))
    commit = path = ""
    for line in lines:
        hunk = _HUNK.match(line)
        if hunk:
            yield from _hunk(lines, hunk, commit, path)
        elif line.startswith(b"commit "):
            commit = line[7:].decode()
        elif line.startswith(b"+++ "):
            path = _path(line[4:])


def _hunk(
    lines: Iterator[bytes], head: re.Match[bytes], commit: str, path: str
) -> Iterator[AddedLine]:
    """`parents` columns of signs stand before each line; a line with a plus in any was added."""
    parents = len(head[1]) - 1
    removed = [int(part.partition(b",")[2] or 1) for part in head[2].split()]
    number, added = int(head[3]), int(head[4] or 1)
    if parents == 1:
        for _ in range(removed[0]):
            _next_line(lines)
    while added:
        line = _next_line(lines)
        signs = line[:parents]
        if b"-" in signs:
            continue
        added -= 1
        if b"+" in signs:
            text = line[parents:].decode("utf-8", "replace")
            yield AddedLine(commit, path, number, text)
        number += 1


def _next_line(lines: Iterator[bytes]) -> bytes:
    line = next(lines, None)
    while line is not None and line.startswith(b"\\ "):  # "\ No newline at end of file"
        line = next(lines, None)
    if line is None:
        raise Unavailable("git's account of the history ends in the middle")
    return line


def _path(shown: bytes) -> str:
    """The name behind `b/`, out of git's quotes where it has them."""
    shown = shown.rstrip(b"\t")
    if shown.startswith(b'"') and shown.endswith(b'"'):
        shown = _ESCAPE.sub(_unescaped, shown[1:-1])
    return shown.decode("utf-8", "replace").removeprefix("b/")


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8)]) if len(code) == 3 else _LETTERS.get(code, code)
