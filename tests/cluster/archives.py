"""Images as files (docker-archive: a manifest, a configuration, one layer), written without any engine."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

EPOCH = "1970-01-01T00:00:00Z"


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = _plain(tarfile.TarInfo(name))
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write(target: Path, tag: str, layer: Path, configuration: dict[str, Any]) -> None:
    """`target` becomes an image named `tag` with `layer` (a tar file) as its only layer."""
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": EPOCH,
        "config": configuration,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_sha256(layer)}"]},
        "history": [{"created": EPOCH, "created_by": "tests.cluster"}],
    }
    text = json.dumps(config).encode()
    name = f"{hashlib.sha256(text).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": [tag], "Layers": ["layer.tar"]}]
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    with tarfile.open(temporary, "w") as archive:
        _add(archive, "manifest.json", json.dumps(manifest).encode())
        _add(archive, name, text)
        archive.add(layer, "layer.tar", filter=_plain)
    Path(temporary).replace(target)


def of_program(
    target: Path, tag: str, program: Path, user: str, arguments: Sequence[str] = ()
) -> None:
    """An image with one statically linked program, started by its name."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        layer = Path(folder) / "layer.tar"
        with tarfile.open(layer, "w") as archive:
            archive.add(program, program.name, filter=_plain)
        write(
            target,
            tag,
            layer,
            {"Entrypoint": [f"/{program.name}", *arguments], "User": user, "WorkingDir": "/"},
        )


def of_folder(target: Path, tag: str, root: Path, configuration: dict[str, Any]) -> None:
    """An image with everything below `root`, owners and modes as they are."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        layer = Path(folder) / "layer.tar"
        with tarfile.open(layer, "w") as archive:
            for entry in sorted(root.iterdir()):
                archive.add(entry, entry.name, filter=_undated)
        write(target, tag, layer, configuration)


def _undated(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = 0
    return entry
