"""What this machine has to have: root, and programs of Debian."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.cluster.errors import Missing


def absent(programs: Mapping[str, str]) -> list[str]:
    """Those that are not here. `programs`: a name on PATH or a file, to the package that has it."""
    return [name for name in programs if not (shutil.which(name) or Path(name).is_file())]


def absent_packages(programs: Mapping[str, str]) -> list[str]:
    return sorted({programs[name] for name in absent(programs)})


def demand(what: str, programs: Mapping[str, str], root: bool = True) -> None:
    """Raises Missing with everything that is not here, and how to get it."""
    if root and os.geteuid() != 0:
        raise Missing(f"{what} needs root", "run it as root, or use one that runs: see KUBECONFIG")
    if missing := absent(programs):
        raise Missing(
            f"{what} needs what is not on this machine: {', '.join(missing)}",
            f"apt-get install --no-install-recommends {' '.join(absent_packages(programs))}",
        )
