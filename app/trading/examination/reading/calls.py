"""Calls and names that lead out of arithmetic: eval, files, the clock, the insides of Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from trading.examination.reading.place import Place, Source, dotted
from trading.examination.subject.allowed import BUILTINS_REFUSED, NAMES_REFUSED

_DUNDER = re.compile(r"__[a-z]\w*__")
_DUNDERS_FINE = {"__name__", "__doc__", "__all__", "__slots__", "__init__", "__post_init__"}
_INSIDES = {
    "f_back", "f_globals", "f_locals", "f_builtins", "f_code", "tb_frame", "tb_next", "gi_frame",
    "gi_code", "cr_frame", "ag_frame", "co_code", "co_consts", "_getframe", "mro",
}  # fmt: skip
_BY_TEXT = {"getattr", "setattr", "hasattr"}
_CLOCK = {"now", "today", "utcnow"}
_CLOCKS = {"datetime", "date", "dt", "datetime.datetime", "datetime.date", "dt.datetime", "dt.date"}
_UNSTABLE = {"id": "differs from run to run", "hash": "of a text differs from run to run"}


def calls(source: Source) -> Iterator[Place]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name):
            yield from _name(source, node)
        elif isinstance(node, ast.Attribute):
            yield from _attribute(source, node)
        elif isinstance(node, ast.Call):
            yield from _call(source, node)


def _name(source: Source, node: ast.Name) -> Iterator[Place]:
    if node.id in BUILTINS_REFUSED:
        yield source.at(node, f"{node.id} is not for strategies")
    elif _DUNDER.fullmatch(node.id) and node.id not in _DUNDERS_FINE:
        yield source.at(node, f"{node.id} is part of the interpreter's insides")


def _attribute(source: Source, node: ast.Attribute) -> Iterator[Place]:
    private = bool(_DUNDER.fullmatch(node.attr)) and node.attr not in _DUNDERS_FINE
    if private or node.attr in _INSIDES:
        yield source.at(node, f".{node.attr} is part of the interpreter's insides")


def _call(source: Source, node: ast.Call) -> Iterator[Place]:
    name = dotted(node.func)
    if name in _BY_TEXT:
        yield from _by_text(source, node, name)
    elif name in _UNSTABLE:
        yield source.at(node, f"{name}() {_UNSTABLE[name]}")
    elif name in NAMES_REFUSED and name != "cache":
        yield source.at(node, f"{name} {NAMES_REFUSED[name]}")
    elif name.rpartition(".")[2] in _CLOCK and name.rpartition(".")[0] in _CLOCKS:
        yield source.at(node, f"{name}() reads the clock; a strategy has history.now")


def _by_text(source: Source, node: ast.Call, name: str) -> Iterator[Place]:
    second = node.args[1] if len(node.args) > 1 else None
    constant = isinstance(second, ast.Constant) and isinstance(second.value, str)
    if not constant or str(second.value).startswith("_"):  # type: ignore[union-attr]
        yield source.at(node, f"{name}() by a text that is put together or private")


def texts(source: Source) -> Iterator[Place]:
    """Text that names the interpreter's insides, as format strings and getattr can use it."""
    documentation = _docstrings(source.tree)
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documentation
            and _DUNDER.search(node.value)
        ):
            yield source.at(node, f"text names {_DUNDER.findall(node.value)[0]}")


def _docstrings(tree: ast.Module) -> set[int]:
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        id(first.value)
        for node in ast.walk(tree)
        if isinstance(node, owners)
        for first in node.body[:1]
        if isinstance(first, ast.Expr)
    }
