"""Commits, trees and blobs by plumbing: read in one process, written without a work tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.adapters.files import safe_parts
from pipelines.adapters.git_command import Git

_FILE = "100644"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as git stores it. `trailers`: `Key: value` lines of the message's last paragraph."""

    id: str
    parents: tuple[str, ...]
    at_seconds: int
    subject: str
    trailers: Mapping[str, str]


def read_objects(git: Git, names: Sequence[str]) -> list[tuple[str, bytes] | None]:
    """(id, content) of each named object, None for one that is not there. One process."""
    out = git.run("cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode())
    found: list[tuple[str, bytes] | None] = []
    position = 0
    for _ in names:
        end = out.index(b"\n", position)
        header = out[position:end].decode("utf-8", "replace")
        position = end + 1
        words = header.rsplit(" ", 2)
        if len(words) != 3 or not words[2].isdigit():
            found.append(None)
            continue
        size = int(words[2])
        found.append((words[0], out[position : position + size]))
        position += size + 1
    return found


def parse_commit(identity: str, content: bytes) -> Commit:
    head, _, message = content.decode("utf-8", "replace").partition("\n\n")
    parents: list[str] = []
    at_seconds = 0
    for line in head.splitlines():
        if line.startswith("parent "):
            parents.append(line[7:])
        elif line.startswith("committer "):
            at_seconds = int(line.rsplit(" ", 2)[1])
    subject = message.split("\n", 1)[0]
    return Commit(identity, tuple(parents), at_seconds, subject, parse_trailers(message))


def parse_trailers(message: str) -> dict[str, str]:
    """Trailers of the last paragraph; none when a line there is not `Key: value`."""
    paragraphs = message.strip().split("\n\n")
    trailers: dict[str, str] = {}
    for line in paragraphs[-1].splitlines() if len(paragraphs) > 1 else ():
        key, colon, value = line.partition(":")
        if not colon or " " in key or not key:
            return {}
        trailers[key] = value.strip()
    return trailers


def message_of(subject: str, trailers: Mapping[str, str]) -> bytes:
    """Subject, body paragraphs after it, trailers. Only the last paragraph is read for trailers and
    every value is brought onto one line, so that a reason with line breaks cannot forge one."""
    paragraphs = [" ".join(part.split()) for part in subject.split("\n\n")]
    lines = [f"{key}: {' '.join(value.split())}" for key, value in trailers.items()]
    text = "\n\n".join([*filter(None, paragraphs), "\n".join(lines)]) + "\n"
    return text.encode("utf-8", "replace")


def write_tree(git: Git, files: Mapping[str, str]) -> str:
    """Tree with exactly these files."""
    nested: dict[str, object] = {}
    for path, text in files.items():
        *folders, name = safe_parts(path)
        folder = nested
        for part in folders:
            folder = folder.setdefault(part, {})  # type: ignore[assignment]
        folder[name] = text
    return _write_folder(git, nested)


def _write_folder(git: Git, folder: Mapping[str, object]) -> str:
    entries = []
    for name, content in folder.items():
        if isinstance(content, dict):
            entries.append(f"040000 tree {_write_folder(git, content)}\t{name}")
        else:
            data = str(content).encode("utf-8")
            blob = git.run("hash-object", "-w", "--stdin", stdin=data).decode().strip()
            entries.append(f"{_FILE} blob {blob}\t{name}")
    listing = "".join(f"{entry}\0" for entry in entries)
    return git.text("mktree", "-z", stdin=listing.encode())
