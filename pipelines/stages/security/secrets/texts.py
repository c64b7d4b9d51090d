"""What is searched: files of head, lines that commits added, messages, the text of the request."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.model.check import Change
from pipelines.stages.protocol import AddedLine

MESSAGE = "message of the commit"
REQUEST = "text of the pull request"
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True, slots=True)
class Text:
    """Numbered lines of one place. `commit` is empty for a file of head. Of a `binary` one only
    forms are searched that can be nothing else."""

    path: str
    lines: tuple[tuple[int, str], ...]
    commit: str = ""
    binary: bool = False


def files_of(change: Change) -> list[str]:
    """What is searched in head: what the change touches, or everything."""
    if not change.everything:
        return sorted(change.changed(""))
    found: list[str] = []
    for parent, folders, names in os.walk(change.head.folder):
        folders[:] = [name for name in folders if name != ".git"]
        found += [
            (Path(parent) / name).relative_to(change.head.folder).as_posix() for name in names
        ]
    return sorted(found)


def read_files(folder: Path, paths: Iterable[str]) -> Iterator[Text]:
    """A link counts as the text of where it points to; nothing outside of the folder is read."""
    for path in paths:
        file = folder / path
        if file.is_symlink():
            yield Text(path, ((1, os.readlink(file)),))
        elif file.is_file():
            yield decoded(path, file.read_bytes())


def decoded(path: str, content: bytes) -> Text:
    encoding = _MARKS.get(content[:2], "utf-8")
    binary = encoding == "utf-8" and b"\0" in content
    text = content.decode("latin-1" if binary else encoding, "replace")
    return Text(path, tuple(enumerate(text.split("\n"), start=1)), binary=binary)


def read_history(added: Sequence[AddedLine]) -> Iterator[Text]:
    """Grouped by commit and file. A file with a NUL in any line is binary."""
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for line in added:
        groups.setdefault((line.commit, line.path), []).append((line.line, line.text))
    for (commit, path), lines in groups.items():
        binary = any("\0" in text for _, text in lines)
        yield Text(path, tuple(lines), commit, binary)


def read_words(change: Change) -> Iterator[Text]:
    """Messages of commits, and what the pull request says."""
    for commit in change.commits:
        message = f"{commit.subject}\n{commit.body}"
        yield Text(MESSAGE, tuple(enumerate(message.split("\n"), start=1)), commit.id)
    if change.pull_request:
        yield Text(REQUEST, tuple(enumerate(change.pull_request.split("\n"), start=1)))


def count(texts: Sequence[Text]) -> Mapping[str, int]:
    """Lines searched, by kind of place."""
    return {
        "lines_in_files": sum(len(t.lines) for t in texts if not t.commit),
        "lines_in_history": sum(len(t.lines) for t in texts if t.commit),
    }
