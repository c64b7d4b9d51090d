"""Changes made of a few files, without git: what the policy stage is asked about."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.model.check import Change, ChangedFile, Tree
from policies import rooms

Files = Mapping[str, str | None]

VALUES = """
trading:
  strategies:
    trend: {plugin: momentum, parameters: {hold: 2, skip: 5}}
    swing: {plugin: mean_reversion, parameters: {window: 20}}
  risk: {max_daily_loss: 50000}
"""
OWNERS = "* @maintainers\n/app/trading/strategies/ @quant-experts\n"


def before() -> dict[str, str | None]:
    """A repository with all rooms, owners, two strategies and their parameters."""
    files: dict[str, str | None] = {
        f"policies/{rule}/{name}": rooms.packaged_text(rule, name)
        for rule in rooms.RULES
        for name in ("policy.yaml", "cases.yaml")
    }
    files |= {".github/CODEOWNERS": OWNERS, "environments/base/values.yaml": VALUES}
    files |= {"environments/production/values.yaml": "trading: {risk: {max_daily_loss: 1}}\n"}
    for name in ("momentum", "mean_reversion"):
        files[f"app/trading/strategies/{name}/__init__.py"] = "x = 1\n"
    return files


def change(folder: Path, edits: Files, branch: str = "feature/more", **others: Any) -> Change:
    """`edits` on top of `before()`; None takes a file away."""
    old = before()
    new = {path: text for path, text in {**old, **edits}.items() if text is not None}
    files = tuple(
        ChangedFile(path, "D" if text is None else "M" if path in old else "A")
        for path, text in edits.items()
    )
    base = tree(folder / "base", old)
    values: dict[str, Any] = {"target": "develop", "rules": base, "files": files, **others}
    return Change(branch=branch, head=tree(folder / "head", new), base=base, **values)


def tree(folder: Path, files: Files) -> Tree:
    objects: dict[str, str] = {}
    for path, text in sorted(files.items()):
        assert text is not None
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
        top = path.split("/")[0]
        objects[top] = hashlib.sha1(f"{objects.get(top)}{path}{text}".encode()).hexdigest()
    return Tree(folder.name, folder, objects)
