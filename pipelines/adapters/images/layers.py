"""Several layers of an image as one: what lies on top counts, sorted, without times."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

SECONDS = 315532800
"""The time of every file: the first that a wheel (a zip archive) can hold as well."""
TIME = "1980-01-01T00:00:00Z"

_GONE = ".wh."
_ALL_GONE = ".wh..wh..opq"

Place = tuple[tarfile.TarFile, tarfile.TarInfo]


def merge(layers: Sequence[IO[bytes]], target: Path) -> Path:
    """`target` becomes one layer with the content of `layers`, lowest first."""
    with ExitStack() as opened:
        content: dict[str, Place] = {}
        for layer in layers:
            archive = opened.enter_context(tarfile.open(fileobj=layer))
            content = _over(content, archive)
        with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as out:
            for name in sorted(content, key=lambda name: name.split("/")):
                archive, member = content[name]
                out.addfile(
                    _plain(member, name), archive.extractfile(member) if member.isreg() else None
                )
    return target


def _over(below: dict[str, Place], archive: tarfile.TarFile) -> dict[str, Place]:
    """`below` with a layer on top. What the layer removes stays removed in the base image too."""
    members = {member.name.strip("/"): member for member in archive}
    kept = {name: place for name, place in below.items() if not _removed(name, members)}
    return {**kept, **{name: (archive, member) for name, member in members.items()}}


def _removed(name: str, members: dict[str, tarfile.TarInfo]) -> bool:
    parts = name.split("/")
    for depth in range(len(parts)):
        above = "/".join([*parts[:depth], ""])
        if f"{above}{_GONE}{parts[depth]}" in members:
            return True
        if depth and f"{above}{_ALL_GONE}" in members:
            return True
    return False


def _plain(member: tarfile.TarInfo, name: str) -> tarfile.TarInfo:
    """Owner and mode stay, times and names of owners go. A hard link to a file that was replaced
    since is not a case here: builders write each file of a layer anew."""
    member.name, member.mtime = name, SECONDS
    member.uname = member.gname = ""
    member.pax_headers = {}
    return member
