"""The digest of the code that runs, from the installed files themselves."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent


@cache
def digest() -> str:
    """sha256 over the sorted lines `"<relpath> <sha256>\\n"` of all files `trading/**`.

    Without `__pycache__`. Computed once: later changes on disk do not change what this process
    runs.
    """
    return digest_of(_PACKAGE)


def digest_of(package: Path) -> str:
    """The same for any folder; relative paths start with the folder's own name."""
    lines = [
        f"{file.relative_to(package.parent).as_posix()} {_sha256(file)}\n"
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    ]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
