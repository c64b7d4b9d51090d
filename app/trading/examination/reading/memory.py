"""What is kept from one day to the next: a strategy is a pure function of its history."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from trading.examination.reading.place import Place, Source, dotted

_CONTAINERS = {"dict", "list", "set", "defaultdict", "deque", "OrderedDict", "Counter", "bytearray"}
_CHANGING = {
    "add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem",
    "remove", "setdefault", "update",
}  # fmt: skip
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def memory(source: Source) -> Iterator[Place]:
    kept = _kept_names(source.tree)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Global):
            yield source.at(node, f"global {', '.join(node.names)}: keeps a value between days")
        elif isinstance(node, _FUNCTIONS):
            yield from _defaults(source, node)
    yield from _empty_containers(source)
    yield from _changes(source, kept)


def _kept_names(tree: ast.Module) -> set[str]:
    """Names at the top of the module: assigned, imported, classes. What hangs on these lasts."""
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in tree.body:
        for target in _targets(node):
            if isinstance(target, ast.Name):
                names.add(target.id)
    for found in ast.walk(tree):
        if isinstance(found, ast.Import | ast.ImportFrom):
            names |= {(a.asname or a.name).partition(".")[0] for a in found.names}
    return names | {"cls"}


def _lasting_statements(tree: ast.Module) -> Iterator[ast.stmt]:
    yield from tree.body
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from node.body


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        return [node.target]
    return node.targets if isinstance(node, ast.Delete) else []


def _empty_containers(source: Source) -> Iterator[Place]:
    """An empty container at the top of a module or class is there to be filled."""
    for node in _lasting_statements(source.tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and _is_empty(node.value):
            yield source.at(node, "an empty container of module or class: memory between days")


def _is_empty(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Dict):
        return not value.keys
    if isinstance(value, ast.List | ast.Set):
        return not value.elts
    return (
        isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2] in _CONTAINERS
        and not (value.args and dotted(value.func) in {"dict", "list", "set"})
    )  # fmt: skip


def _changes(source: Source, kept: set[str]) -> Iterator[Place]:
    for node in ast.walk(source.tree):
        if _changes_kept(node, {*kept, "self"}):
            yield source.at(node, f"{ast.unparse(node)[:60]} changes what outlives the day")
        for target in _targets(node):
            if isinstance(target, ast.Subscript | ast.Attribute) and _root(target) in kept:
                yield source.at(target, f"changes {_root(target)}, which outlives the day")
            elif isinstance(target, ast.Subscript) and _root(target) == "self":
                yield source.at(target, "changes its own fields, which outlive the day")


def _changes_kept(node: ast.AST, kept: set[str]) -> bool:
    """A call such as `MEMORY.append(…)`. The result of a call is new each time, and fine."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _CHANGING
        and _root(node.func.value) in kept
    )


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _defaults(
    source: Source, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
) -> Iterator[Place]:
    for default in (*node.args.defaults, *node.args.kw_defaults):
        if isinstance(default, ast.Dict | ast.List | ast.Set) or _is_empty(default):
            yield source.at(node, "a mutable default value keeps values between days")
