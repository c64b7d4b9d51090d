"""The migration scripts of this release, read without importing them (or Alembic)."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from trading.errors import MigrationFailed

VERSIONS = Path(__file__).parent / "versions"
Kind = Literal["expand", "contract"]


@dataclass(frozen=True, slots=True)
class Script:
    """`expand`: old code runs on with it. `contract`: closes the releases that need what it drops.

    `transactional` is False for what PostgreSQL runs only outside a transaction; each statement
    of such a script (separated by lines of `--next`) must be safe to repeat.
    """

    revision: str
    down_revision: str | None
    kind: Kind
    message: str
    sha256: str
    up: str
    down: str
    transactional: bool


def scripts(folder: Path = VERSIONS) -> list[Script]:
    """In the order in which they are applied. Raises `MigrationFailed` when that is no chain."""
    found = {script.revision: script for script in map(_read, sorted(folder.glob("r*.py")))}
    followers = {script.down_revision: script for script in found.values()}
    ordered: list[Script] = []
    following = followers.get(None)
    while following is not None:
        ordered.append(following)
        following = followers.get(following.revision)
    if len(ordered) != len(found):
        lost = sorted(set(found) - {script.revision for script in ordered})
        raise MigrationFailed(f"revisions {lost} are not on one chain; fix their down_revision")
    return ordered


def required(folder: Path = VERSIONS) -> list[str]:
    """Revisions without which this release cannot run. A contract step is never one of them."""
    return [script.revision for script in scripts(folder) if script.kind == "expand"]


def _read(path: Path) -> Script:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if constants.get("kind") not in ("expand", "contract"):
        raise MigrationFailed(f"{path.name}: kind must be expand or contract")
    return Script(
        revision=str(constants["revision"]),
        down_revision=cast("str | None", constants["down_revision"]),
        kind=cast(Kind, constants["kind"]),
        message=(ast.get_docstring(tree) or "").partition("\n")[0],
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        up=str(constants["UP"]),
        down=str(constants["DOWN"]),
        transactional=bool(constants.get("TRANSACTIONAL", True)),
    )
