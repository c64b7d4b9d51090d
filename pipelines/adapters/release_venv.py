"""The virtual environment of a release: made, cloned from a sibling, checked, repaired.

A stamp written last says that it is whole and what belongs in it. The quick check compares the
application's own files and the names in site-packages (under a millisecond); the deep one hashes
every installed file against the RECORD of its package.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from pipelines.adapters.files import write_whole
from pipelines.adapters.uv import Uv, base_python, compile_folder
from pipelines.adapters.wheel import file_sizes, top_level

STAMP = "slipway.json"


class ReleaseVenv:
    """`<folder>/venv`, from `<folder>/*.whl` and `<folder>/requirements.lock`."""

    def __init__(self, folder: Path, wheel: str) -> None:
        self.path = folder / "venv"
        self.python = self.path / "bin" / "python"
        self._folder = folder
        self._wheel = folder / wheel

    def make(self, uv: Uv, sibling: ReleaseVenv | None) -> None:
        """From scratch, or by hard links from a sibling that has the same lock."""
        if sibling is not None:
            sibling._clone_to(self.path)
        else:
            uv.make_venv(self.path)
            uv.install_lock(self.path, self._folder / "requirements.lock")
        uv.install_wheel(self.path, self._wheel)
        for name in sorted(top_level(self._wheel)):
            package = self.site_packages() / name
            if package.is_dir() and not name.endswith(".dist-info"):
                compile_folder(self.python, package)
        self._write_stamp()

    def site_packages(self) -> Path:
        return next((self.path / "lib").glob("python3*")) / "site-packages"

    def whole(self) -> bool:
        """Quick: stamp, interpreter, the application's files by size, names of the packages."""
        try:
            stamp = json.loads((self.path / STAMP).read_text())
            packages = self.path / stamp["site_packages"]
            return (
                os.access(self.python, os.X_OK)
                and set(stamp["names"]) <= set(os.listdir(packages))
                and all((packages / f).stat().st_size == n for f, n in stamp["files"].items())
            )
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def fits(self) -> bool:
        """Whole, and of the interpreter that the engine runs on: good to clone from."""
        return self.whole() and self._stamp().get("python") == base_python()

    def problems(self) -> list[str]:
        """Deep: every file against its package's RECORD. Words; empty means whole."""
        if not self.whole():
            return [f"{self.path} is damaged or incomplete"]
        packages = self.site_packages()
        problems: list[str] = []
        for record in sorted(packages.glob("*.dist-info/RECORD")):
            with record.open(newline="") as lines:
                for name, digest, _ in csv.reader(lines):
                    if digest and _record_digest(packages / name) != digest:
                        problems.append(
                            f"{packages / name} is not what {record.parent.name} brings"
                        )
        return problems

    def _stamp(self) -> dict[str, Any]:
        stamp: dict[str, Any] = json.loads((self.path / STAMP).read_text())
        return stamp

    def _write_stamp(self) -> None:
        packages = self.site_packages()
        sizes = file_sizes(self._wheel)
        stamp = {
            "python": base_python(),
            "site_packages": str(packages.relative_to(self.path)),
            "names": sorted(os.listdir(packages)),
            # .data folders are spread over the environment when the wheel is installed
            "files": {f: n for f, n in sizes.items() if ".data/" not in f},
        }
        write_whole(self.path / STAMP, json.dumps(stamp).encode())

    def _clone_to(self, target: Path) -> None:
        """Everything but the application itself, as hard links (seconds become tenths)."""
        packages = self.site_packages()
        own = {packages / name for name in top_level(self._wheel)}
        for folder, folders, files in os.walk(self.path):
            here = Path(folder)
            there = target / here.relative_to(self.path)
            there.mkdir()
            for name in list(folders):
                if here / name in own:
                    folders.remove(name)
                elif (here / name).is_symlink():
                    folders.remove(name)
                    (there / name).symlink_to(os.readlink(here / name))
            for name in files:
                if here / name not in own and name != STAMP:
                    os.link(here / name, there / name, follow_symlinks=False)


def remove_tree(folder: Path) -> None:
    """Under a name nobody reads first, so that a half-removed folder is never mistaken."""
    if folder.exists():
        trash = folder.with_name(f".trash-{os.getpid()}-{folder.name}")
        folder.rename(trash)
        shutil.rmtree(trash, ignore_errors=True)


def _record_digest(file: Path) -> str:
    try:
        content = file.read_bytes()
    except OSError:
        return ""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
    return f"sha256={digest.decode()}"
