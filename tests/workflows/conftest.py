"""The programs that judge and run workflow files, made once and kept outside the checkout."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def tools() -> Path:
    """Folder with act, actionlint and zizmor."""
    done = subprocess.run(
        [ROOT / "scripts" / "workflow-tools"], capture_output=True, text=True, timeout=220
    )
    if done.returncode != 0:
        pytest.fail(f"the workflow tools could not be made:\n{done.stderr}", pytrace=False)
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def clean_environment(tools: Path) -> dict[str, str]:
    """What a workflow may see of this machine: programs, the package cache, no settings of ours."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SLIPWAY", "GIT_", "GITHUB_", "PYTEST", "VIRTUAL_ENV"))
    }
    return kept | {"PATH": f"{tools}{os.pathsep}{kept['PATH']}"}
