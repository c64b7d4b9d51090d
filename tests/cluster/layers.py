"""How images are unpacked in a folder: by layers of the kernel's overlay, or by copies."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

SCRIPT = """
cd "$0"
mkdir lower upper work all
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work all
: > all/file
"""


def overlay(folder: Path) -> bool:
    """Whether the folder's file system can be the upper layer: one that is an overlay itself, such as
    a container's root, cannot."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".layers.") as scratch:
        command = ["unshare", "--mount", "sh", "-e", "-c", SCRIPT, scratch]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def of_containerd(folder: Path) -> str:
    """The name of its snapshotter. Copies need no overlay, but time and ten times the room."""
    return "overlayfs" if overlay(folder) else "native"


def of_docker(folder: Path) -> str:
    """The name of its storage driver."""
    return "overlay2" if overlay(folder) else "vfs"
