"""Every linter of workflow files behind one call."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.workflows.rules import problems


def findings(tools: Path, file: Path) -> dict[str, list[str]]:
    """What each of the three finds, as the names of its rules (ours: sentences). Offline."""
    return {
        "actionlint": actionlint(tools, file),
        "zizmor": zizmor(tools, file),
        "ours": problems(file),
    }


def actionlint(tools: Path, file: Path) -> list[str]:
    argv = [tools / "actionlint", "-no-color", "-format", "{{json .}}", file]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return [found["kind"] for found in json.loads(done.stdout)]


def zizmor(tools: Path, file: Path) -> list[str]:
    argv = [tools / "zizmor", "--offline", "--pedantic", "--no-ignores", "--no-config"]
    argv += ["--no-progress", "--format", "json"]
    done = subprocess.run([*argv, file], capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, *range(11, 15)), done.stderr
    return [found["ident"] for found in json.loads(done.stdout)]
