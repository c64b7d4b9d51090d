"""Migration scripts as they lie in a tree: read without running them, and the chain they make."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.model.application_yaml import FILE, parse
from pipelines.model.check import Finding, Tree
from pipelines.model.errors import BadInput
from pipelines.model.release import Application

EXPAND, CONTRACT = "expand", "contract"
LARGEST_BYTES = 1_000_000
_NAMES = ("revision", "down_revision", "kind", "UP", "DOWN")
_FUNCTIONS = {"upgrade": "op.execute(UP)", "downgrade": "op.execute(DOWN)"}


@dataclass(frozen=True, slots=True)
class Script:
    """One file. `up_line` is the line on which the SQL of UP begins."""

    path: str
    revision: str
    down_revision: str | None
    kind: str
    message: str
    sha256: str
    up: str
    down: str
    transactional: bool = True
    up_line: int = 1


@dataclass(frozen=True, slots=True)
class Scripts:
    """What a folder holds; `findings` name the files that are no scripts."""

    scripts: tuple[Script, ...] = ()
    findings: tuple[Finding, ...] = ()

    def by_revision(self) -> dict[str, Script]:
        return {script.revision: script for script in self.scripts}


@dataclass(frozen=True, slots=True)
class Chain:
    """In the order of application; `problem` in words when it is no chain."""

    ordered: tuple[Script, ...]
    problem: str = ""
    path: str = field(default="")


def application(tree: Tree) -> Application | None:
    """What the tree's `app/slipway.yaml` offers; None where there is no such file.

    Raises BadInput for a file that is wrong."""
    text = tree.text(FILE)
    return None if text is None else parse(text)


def versions_folder(tree: Tree) -> str:
    """`app/<module>/migrations/versions/`. Raises BadInput as `application` does."""
    offered = application(tree)
    module = offered.module.replace(".", "/") if offered else "app"
    return f"app/{module}/migrations/versions/"


def read(tree: Tree, folder: str) -> Scripts:
    """Every `*.py` in the folder but `__init__.py`, by name."""
    found: list[Script] = []
    findings: list[Finding] = []
    for file in sorted((tree.folder / folder).glob("*.py")):
        if file.name == "__init__.py":
            continue
        path = f"{folder}{file.name}"
        read_one = _read(file, path)
        if isinstance(read_one, Script):
            found.append(read_one)
        else:
            findings.append(read_one)
    return Scripts(tuple(found), tuple(findings))


def chain(scripts: Iterable[Script]) -> Chain:
    """One line from the first (`down_revision = None`) to one head, each revision once."""
    known = list(scripts)
    followers: dict[str | None, list[Script]] = {}
    for script in known:
        followers.setdefault(script.down_revision, []).append(script)
    for before, after in followers.items():
        if len(after) > 1:
            names = " and ".join(f"{s.revision} ({Path(s.path).name})" for s in after)
            return Chain(
                (), f"two heads: {names} both follow {before or 'nothing'}", after[-1].path
            )
    ordered: list[Script] = []
    following = followers.get(None, [])
    while following and following[0] not in ordered:
        ordered.append(following[0])
        following = followers.get(ordered[-1].revision, [])
    if lost := [script for script in known if script not in ordered]:
        names = ", ".join(f"{s.revision} (after {s.down_revision!r})" for s in lost)
        return Chain((), f"broken chain: {names} cannot be reached from the first", lost[0].path)
    return Chain(tuple(ordered))


def _read(file: Path, path: str) -> Script | Finding:
    try:
        if file.is_symlink() or file.stat().st_size > LARGEST_BYTES:
            return _unreadable(path, f"is a link or has more than {LARGEST_BYTES:,} bytes")
        content = file.read_bytes()
        tree = ast.parse(content.decode("utf-8"))
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError) as error:
        return _unreadable(path, f"is no Python that can be read: {error}")
    if strange := _strange(tree.body):
        line, what = strange
        return _unreadable(path, f"{what}: a script holds constants, nothing that runs", line)
    return _script(path, content, tree)


def _script(path: str, content: bytes, tree: ast.Module) -> Script | Finding:
    values, lines = _constants(tree.body)
    for name in _NAMES:
        if name not in values:
            return _unreadable(path, f"has no constant {name}")
    texts = {name: values[name] for name in _NAMES if name != "down_revision"}
    wrong = [name for name, value in texts.items() if not isinstance(value, str)]
    if not isinstance(values["down_revision"], str | None):
        wrong.append("down_revision")
    if not isinstance(values.get("TRANSACTIONAL", True), bool):
        wrong.append("TRANSACTIONAL")
    if wrong:
        return _unreadable(path, f"{wrong[0]} is not of the right type", lines[wrong[0]])
    if values["kind"] not in (EXPAND, CONTRACT):
        return _unreadable(path, f"kind is {values['kind']!r:.40}, not expand or contract")
    return Script(
        path=path,
        revision=values["revision"],
        down_revision=values["down_revision"],
        kind=values["kind"],
        message=(ast.get_docstring(tree) or "").partition("\n")[0],
        sha256=hashlib.sha256(content).hexdigest(),
        up=values["UP"],
        down=values["DOWN"],
        transactional=values.get("TRANSACTIONAL", True),
        up_line=lines["UP"],
    )


def _constants(body: Sequence[ast.stmt]) -> tuple[dict[str, Any], dict[str, int]]:
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    values[target.id], lines[target.id] = node.value.value, node.value.lineno
    return values, lines


def _strange(body: Sequence[ast.stmt]) -> tuple[int, str] | None:
    """Line and text of the first statement that is neither a constant, nor an import of Alembic's
    `op`, nor a function that executes exactly UP or DOWN: what is judged must be what runs."""
    assigned: set[str] = set()
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            names = {ast.unparse(target) for target in node.targets}
            if names & assigned:
                return node.lineno, f"assigns {names.pop()} twice"
            assigned |= names
        elif not _harmless(node):
            return node.lineno, f"runs `{ast.unparse(node).splitlines()[0]:.60}`"
    return None


def _harmless(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.ImportFrom):
        return node.module in ("alembic", "__future__")
    if isinstance(node, ast.FunctionDef):
        plain = not node.decorator_list and not node.args.args
        return plain and "\n".join(map(ast.unparse, node.body)) == _FUNCTIONS.get(node.name)
    return False


def _unreadable(path: str, words: str, line: int = 0) -> Finding:
    return Finding(
        "migrations/script",
        f"{Path(path).name} {words}",
        path=path,
        line=line,
        hint="see docs/app-contract.md, part 5: revision, down_revision, kind, UP, DOWN",
    )


def require_application(tree: Tree, what: str) -> Application:
    """Raises BadInput: nothing can be rehearsed without a migrate command."""
    offered = application(tree)
    if offered is None or not offered.offers("migrate"):
        raise BadInput(f"{what} offers no command migrate", hint=f"name it in {FILE}")
    return offered
