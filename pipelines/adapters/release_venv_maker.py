"""Making the virtual environment of a release: from its lock, or by hard links from a sibling."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
from pathlib import Path

from pipelines.adapters.files import write_whole
from pipelines.adapters.release_venv import STAMP, ReleaseVenv
from pipelines.adapters.uv import Uv, base_python, compile_folder
from pipelines.adapters.wheel import file_sizes, top_level


def make(venv: ReleaseVenv, uv: Uv, sibling: ReleaseVenv | None) -> None:
    """`sibling` has the same lock: what both share is linked, which takes tenths of a second."""
    if sibling is not None:
        _clone(sibling, venv.path)
    else:
        uv.make_venv(venv.path)
        uv.install_lock(venv.path, venv.lock)
    uv.install_wheel(venv.path, venv.wheel)
    for name in sorted(top_level(venv.wheel)):
        package = venv.site_packages() / name
        if package.is_dir() and not name.endswith(".dist-info"):
            compile_folder(venv.python, package)
    _write_stamp(venv)


def fits(venv: ReleaseVenv) -> bool:
    """Whole, and of the interpreter that the engine runs on: good to clone from."""
    return venv.whole() and venv.stamp().get("python") == base_python()


def problems(venv: ReleaseVenv) -> list[str]:
    """Every installed file against the RECORD of its package, in words; empty means whole."""
    if not venv.whole():
        return [f"{venv.path} is damaged or incomplete"]
    packages = venv.site_packages()
    found: list[str] = []
    for record in sorted(packages.glob("*.dist-info/RECORD")):
        with record.open(newline="") as lines:
            for name, digest, _ in csv.reader(lines):
                if digest and _record_digest(packages / name) != digest:
                    found.append(f"{packages / name} is not what {record.parent.name} brings")
    return found


def _write_stamp(venv: ReleaseVenv) -> None:
    packages = venv.site_packages()
    stamp = {
        "python": base_python(),
        "site_packages": str(packages.relative_to(venv.path)),
        "names": sorted(os.listdir(packages)),
        # .data folders are spread over the environment when the wheel is installed
        "files": {f: n for f, n in file_sizes(venv.wheel).items() if ".data/" not in f},
    }
    write_whole(venv.path / STAMP, json.dumps(stamp).encode())


def _clone(source: ReleaseVenv, target: Path) -> None:
    """Everything but the application itself."""
    packages = source.site_packages()
    own = {packages / name for name in top_level(source.wheel)} | {source.path / STAMP}
    for folder, folders, files in os.walk(source.path):
        here = Path(folder)
        there = target / here.relative_to(source.path)
        there.mkdir()
        for name in [name for name in folders if here / name in own]:
            folders.remove(name)
        for name in [name for name in folders if (here / name).is_symlink()]:
            folders.remove(name)
            (there / name).symlink_to(os.readlink(here / name))
        for name in files:
            if here / name not in own:
                os.link(here / name, there / name, follow_symlinks=False)


def _record_digest(file: Path) -> str:
    try:
        content = file.read_bytes()
    except OSError:
        return ""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
    return f"sha256={digest.decode()}"
