"""Kubernetes manifests from files, folders and standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.engine.sync.documents import MAX_BYTES
from pipelines.engine.sync.manifests import read_bytes, refuse_twins
from pipelines.model.errors import BadInput
from pipelines.model.resource import Resource

ENDINGS = (".yaml", ".yml", ".json")
STDIN = "-"


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
        for file in _files(Path(name)):
            if file.resolve() not in files:
                files.add(file.resolve())
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
        raise BadInput(
            f"{file}: {(error.strerror or str(error)).lower()}", hint="name a file that can be read"
        ) from None


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
    if not path.is_dir():
        yield path
        return
    inside = sorted(
        file
        for file in path.rglob("*")
        if file.suffix in ENDINGS
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not inside:
        raise BadInput(
            f"{path}: no manifests in this folder", hint=f"it needs {', '.join(ENDINGS)} files"
        )
    yield from inside
