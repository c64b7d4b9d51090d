"""Who may import whom is a contract, and nobody imports the application."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_import_rules_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_engine_never_imports_the_application() -> None:
    pattern = re.compile(r"^\s*(from|import) (trading|app)\b", re.MULTILINE)
    guilty = [p for p in (ROOT / "pipelines").rglob("*.py") if pattern.search(p.read_text())]
    assert guilty == []


def test_no_lock_file_names_a_host() -> None:
    locks = [*ROOT.glob("requirements*.lock"), *ROOT.glob("app/requirements*.lock")]
    assert len(locks) >= 7
    for lock in locks:
        text = lock.read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|--index-url|--find-links", text), lock
