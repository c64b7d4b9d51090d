"""A place in the source and what is wrong there."""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """`file` is relative to the strategy's folder; `line` 0 means the whole file."""

    file: str
    line: int
    words: str

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}: {self.words}" if self.line else f"{self.file}: {self.words}"
        )


@dataclass(frozen=True, slots=True)
class Source:
    """One parsed file of the strategy `plugin`."""

    plugin: str
    file: str
    tree: ast.Module

    def at(self, node: ast.AST, words: str) -> Place:
        return Place(self.file, getattr(node, "lineno", 0), words)


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an expression of names and attributes; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def numbers_below(node: ast.AST) -> int:
    """How many number literals an expression holds."""
    return sum(
        isinstance(inner, ast.Constant)
        and isinstance(inner.value, int | float)
        and not isinstance(inner.value, bool)
        for inner in ast.walk(node)
    )
