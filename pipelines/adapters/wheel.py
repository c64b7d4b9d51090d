"""What a wheel holds: the digest its processes must report, and the files to expect."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from pipelines.model.errors import BadInput


def artifact_digest(wheel: Path, module: str) -> str:
    """sha256 over the sorted lines `"<relpath> <sha256>\\n"` of all files of the package, without
    `__pycache__`: what an application computes over its installed files for /version."""
    package = module.partition(".")[0]
    with zipfile.ZipFile(wheel) as archive:
        lines = [
            f"{name} {hashlib.sha256(archive.read(name)).hexdigest()}\n"
            for name in archive.namelist()
            if _belongs(name, package)
        ]
    if not lines:
        raise BadInput(
            f"app/slipway.yaml: module: {module!r} is not in the wheel {wheel.name}",
            hint="name the package that app/pyproject.toml builds",
        )
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def file_sizes(wheel: Path) -> dict[str, int]:
    """Path below site-packages → bytes. RECORD is left out: installing rewrites it."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            info.filename: info.file_size
            for info in archive.infolist()
            if not info.is_dir() and not info.filename.endswith(".dist-info/RECORD")
        }


def top_level(wheel: Path) -> set[str]:
    """Names that the wheel brings right into site-packages."""
    with zipfile.ZipFile(wheel) as archive:
        return {name.split("/", 1)[0] for name in archive.namelist()}


def file_digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _belongs(name: str, package: str) -> bool:
    parts = name.split("/")
    return parts[0] == package and "__pycache__" not in parts and bool(parts[-1])
