"""Which strategies a change touches, and what belongs to one."""

from __future__ import annotations

import re
from collections.abc import Iterable

CODE = "app/trading/strategies/"
TESTS = "app/tests/strategies/"
PARAMETERS = "trading.strategies."
BRANCHES = ("feature/quant-strategy-", "feature/strategy-")
_FOLDER = re.compile(rf"(?:{CODE}|{TESTS})([A-Za-z_][A-Za-z0-9_]*)/", re.ASCII)


def of_branch(branch: str) -> str:
    """Folder of the strategy that a branch is named after (`mean-reversion` → `mean_reversion`);
    empty when its name speaks of none."""
    for prefix in BRANCHES:
        if branch.startswith(prefix) and len(branch) > len(prefix):
            return branch.removeprefix(prefix).replace("-", "_")
    return ""


def of_path(path: str) -> str:
    """Folder of the strategy a file belongs to; empty when it belongs to none."""
    found = _FOLDER.match(path)
    return found[1] if found else ""


def folder(strategy: str) -> str:
    return f"{CODE}{strategy}/"


def touched(paths: Iterable[str], plugins: Iterable[str]) -> tuple[str, ...]:
    """Strategies of changed files, and plug-ins whose parameters changed; in alphabetical order."""
    return tuple(sorted({name for name in (*map(of_path, paths), *plugins) if name}))
