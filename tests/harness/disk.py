"""A file system with little room, and using it up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harness.missing import missing


@contextmanager
def small_file_system(folder: Path, size: str) -> Iterator[Path]:
    """A tmpfs of `size` (as in mount's options) mounted on a new folder; mounting needs root."""
    if os.getuid() != 0:
        missing("mounting a small file system needs root")
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(folder)]
    if subprocess.run(words, check=False, capture_output=True).returncode:
        missing("this machine does not let us mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Use up what is left on the disk of a folder; removing the returned file gives it back."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:  # closing has nothing left to write
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            return ballast
