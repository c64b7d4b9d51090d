"""Imports: from a list, and no module through another module's attributes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from trading.examination.reading.place import Place, Source, dotted
from trading.examination.subject.allowed import STANDARD, member_problem, module_allowed

_CHANCE = {"random", "secrets", "uuid"}
_CLOCK = {"time", "sched", "calendar"}


def imports(source: Source) -> Iterator[Place]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from _plain(source, node)
        elif isinstance(node, ast.ImportFrom):
            yield from _from(source, node)


def _plain(source: Source, node: ast.Import) -> Iterator[Place]:
    for alias in node.names:
        if not module_allowed(alias.name, source.plugin):
            yield source.at(node, _refused(alias.name))
        elif alias.name.partition(".")[0] in ("trading", "pydantic"):
            yield source.at(node, f"import {alias.name}: write `from {alias.name} import …`")


def _from(source: Source, node: ast.ImportFrom) -> Iterator[Place]:
    module = _absolute(source, node)
    for alias in node.names:
        if alias.name == "*":
            yield source.at(node, f"from {module} import *: name what you need")
        elif module_allowed(module, source.plugin):
            if problem := _member(module, alias.name):
                yield source.at(node, problem)
        elif not module_allowed(f"{module}.{alias.name}", source.plugin):
            yield source.at(node, _refused(module))
            return


def _absolute(source: Source, node: ast.ImportFrom) -> str:
    """`from .parts import x` is about the strategy's own package; more dots lead out of it."""
    if not node.level:
        return node.module or ""
    above = ["trading", "strategies", source.plugin, *source.file.split("/")[:-1]]
    kept = above[: len(above) - node.level + 1]
    return ".".join(filter(None, (*kept, node.module)))


def _member(module: str, name: str) -> str:
    if problem := member_problem(module, name):
        return problem
    if module in STANDARD and isinstance(getattr(import_module(module), name, None), ModuleType):
        return f"import of {name} out of {module}"
    return ""


def _refused(module: str) -> str:
    top = module.partition(".")[0]
    if top in _CHANCE:
        return f"import of {module}: a strategy decides by bars alone, never by chance"
    if top in _CLOCK:
        return f"import of {module}: a strategy has no clock but history.now"
    return f"import of {module}: a strategy may import arithmetic and trading.strategies only"


def members(source: Source) -> Iterator[Place]:
    """Attributes of imported modules: public members only, and no other module through them."""
    known: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            known |= {(a.asname or a.name): a.name for a in node.names if a.name in STANDARD}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute):
            module = known.get(dotted(node.value), "")
            if module and (problem := _member(module, node.attr)):
                yield source.at(node, problem)
