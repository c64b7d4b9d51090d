"""Whether the virtual environment of a release is whole, in under a millisecond.

A stamp written last by `release_venv_maker` says what belongs in it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

STAMP = "slipway.json"


class ReleaseVenv:
    """`<folder>/venv`, made from `<folder>/<wheel>` and `<folder>/requirements.lock`."""

    def __init__(self, folder: Path, wheel: str) -> None:
        self.path = folder / "venv"
        self.python = self.path / "bin" / "python"
        self.wheel = folder / wheel
        self.lock = folder / "requirements.lock"

    def whole(self) -> bool:
        """Interpreter, the application's files by size, names of the packages: as stamped."""
        try:
            stamp = self.stamp()
            packages = self.path / stamp["site_packages"]
            return (
                os.access(self.python, os.X_OK)
                and set(stamp["names"]) <= set(os.listdir(packages))
                and all((packages / f).stat().st_size == n for f, n in stamp["files"].items())
            )
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def stamp(self) -> dict[str, Any]:
        """{"python", "site_packages", "names", "files": {path: bytes}}. OSError, ValueError."""
        stamp: dict[str, Any] = json.loads((self.path / STAMP).read_text())
        return stamp

    def site_packages(self) -> Path:
        return next((self.path / "lib").glob("python3*")) / "site-packages"
