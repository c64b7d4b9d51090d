"""A small Python project as `app/`, to plant defects into that the quality stage must find."""

from __future__ import annotations

import re
from pathlib import Path

from pipelines.adapters.check_environments import CheckEnvironments
from pipelines.adapters.check_workshops import LocalWorkshops
from pipelines.stages.protocol import Options
from tests.support.strategy_change import ROOT

CHECK_LOCK = ROOT / "requirements-check.lock"
_TESTING = ("colorama", "iniconfig", "packaging", "pluggy", "pygments", "pytest")

PYPROJECT = """[project]
name = "tiny"
version = "0.1.0"
requires-python = ">=3.11"

[tool.ruff]
line-length = 100

[tool.ruff.lint]
select = ["E", "F", "I", "S"]

[tool.ruff.lint.per-file-ignores]
"tests/**" = ["S"]

[tool.mypy]
packages = ["tiny"]

[tool.pytest.ini_options]
addopts = "--import-mode=importlib"
"""

SUMS = '''"""Sums."""


def total(numbers: list[int]) -> int:
    """All of them."""
    found = 0
    for number in numbers:
        found += number
    return found


def largest(numbers: list[int]) -> int:
    """Zero of nothing."""
    return max(numbers, default=0)
'''

TEST_SUMS = '''"""Sums."""

from tiny.sums import largest, total


def test_total() -> None:
    assert total([1, 2]) == 3


def test_largest() -> None:
    assert largest([1, 5, 2]) == 5
'''


def testing_lock() -> str:
    """pytest and what it needs, out of the lock of the check tools."""
    blocks = re.split(r"(?m)^(?=[a-z])", CHECK_LOCK.read_text())
    return "".join(b for b in blocks if b.split("==")[0] in _TESTING)


def files() -> dict[str, str]:
    return {
        "app/pyproject.toml": PYPROJECT,
        "app/requirements-dev.lock": testing_lock(),
        "app/tiny/__init__.py": '"""Tiny."""\n',
        "app/tiny/sums.py": SUMS,
        "app/tests/test_sums.py": TEST_SUMS,
    }


def workshops(folder: Path, environments: Path) -> LocalWorkshops:
    made = CheckEnvironments(environments, CHECK_LOCK)
    return LocalWorkshops(made, folder / "reports", Options())
