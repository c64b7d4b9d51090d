"""Kubernetes manifests from files, folders and standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from pipelines.engine.sync.documents import MAX_BYTES
from pipelines.engine.sync.manifests import read_bytes, refuse_twins
from pipelines.model.errors import BadInput
from pipelines.model.resource import Resource

ENDINGS = (".yaml", ".yml", ".json")
STDIN = "-"
SHOWN_CHARACTERS = 200


def read_files(names: Iterable[str], *, strict: bool = True) -> list[Resource]:
    """Objects of all files; a folder stands for its `*.yaml`, `*.yml` and `*.json`, at any depth.

    Raises BadInput naming the file for what is missing, too large (before it is read) or no
    manifest, and when one object is in two places. `strict` as for `read_documents`.
    """
    found: list[Resource] = []
    files: set[Path] = set()
    for name in names:
        if name == STDIN:
            found += read_bytes(_standard_input(), "standard input", strict=strict)
            continue
        for file in _files(_named(name)):
            real = _real(file)
            if real not in files:
                files.add(real)
                found += read_bytes(read_limited(file), str(file), strict=strict)
    if strict:
        refuse_twins(found)
    return found


def refuse_stdin_twice(names: Iterable[str]) -> None:
    """It is empty the second time, which would read as nothing desired or nothing live."""
    if list(names).count(STDIN) > 1:
        raise BadInput(
            "standard input (-) is asked for twice", hint="write one of the two into a file"
        )


def _standard_input() -> bytes:
    if sys.stdin is None:  # a scheduler may start programs without one
        raise BadInput("standard input (-) is closed", hint="give it a file: slipway … < FILE")
    return _limited(sys.stdin.buffer.read(MAX_BYTES + 1))


def read_limited(file: Path) -> bytes:
    """The bytes of a file of bearable size. Raises BadInput."""
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise _too_large(str(file), f"{size:,} bytes")
        with file.open("rb") as opened:  # a pipe has no size
            return _limited(opened.read(MAX_BYTES + 1), str(file))
    except OSError as error:
        raise _unreadable(file, error) from None


def _unreadable(path: Path, error: OSError | RuntimeError) -> BadInput:
    why = getattr(error, "strerror", None) or "a symbolic link that leads back to itself"
    name = str(path)
    shown = name if len(name) <= SHOWN_CHARACTERS else f"{name[: SHOWN_CHARACTERS - 1]}…"
    return BadInput(f"{shown}: {why.lower()}", hint="name a file or folder that can be read")


def _named(name: str) -> Path:
    """An empty name would be the folder one stands in, whatever lies there."""
    if not name:
        raise BadInput("a file has an empty name", hint="is a variable of the command empty?")
    return Path(name)


def _real(file: Path) -> Path:
    """What the name leads to, so that no file is read twice."""
    try:
        return file.resolve()
    except (OSError, RuntimeError) as error:  # Python 3.11 raises RuntimeError for a loop of links
        raise _unreadable(file, error) from None


def _limited(data: bytes, name: str = "standard input") -> bytes:
    if len(data) > MAX_BYTES:
        raise _too_large(name, f"more than {MAX_BYTES:,} bytes")
    return data


def _too_large(name: str, size: str) -> BadInput:
    return BadInput(
        f"{name}: {size}, at most {MAX_BYTES:,} are read",
        hint="manifests of this size are a mistake; split the file if not",
    )


def _files(path: Path) -> Iterator[Path]:
    """Sorted, so that messages are the same everywhere. Hidden files and folders are left out."""
    try:
        inside = sorted(_manifests(path)) if path.is_dir() else None
    except OSError as error:
        raise _unreadable(Path(error.filename or path), error) from None
    if inside is None:
        yield path
        return
    if not inside:
        raise BadInput(
            f"{path}: no manifests in this folder", hint=f"it needs {', '.join(ENDINGS)} files"
        )
    yield from inside


def _manifests(folder: Path) -> Iterator[Path]:
    """What cannot be read is an error: it would count as no longer desired. So does a link to nothing."""

    def refuse(error: OSError) -> NoReturn:
        raise error

    for inside, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(inside, name)
            if file.suffix not in ENDINGS or name.startswith("."):
                continue
            if file.is_file() or file.is_symlink():
                yield file
