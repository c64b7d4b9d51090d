"""What a name in a module stands for, as far as imports and plain assignments tell."""

from __future__ import annotations

import ast


class Names:
    """`import yaml as y` makes `y.load` mean `yaml.load`; `s = requests.Session()` makes `s.get`
    mean `requests.Session.get`. One namespace a file: enough to find faults, not to prove there is
    none."""

    def __init__(self, tree: ast.AST) -> None:
        self._known: dict[str, str] = {}
        self.assigned: dict[str, list[ast.expr]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._import(node)
        for node in ast.walk(tree):
            self._assign(node)

    def dotted(self, node: ast.expr) -> str:
        """Full dotted name of an expression; empty when it has none."""
        if isinstance(node, ast.Call):
            return self.dotted(node.func)
        plain = _plain(node)
        if not plain:
            if isinstance(node, ast.Attribute):  # a method of something without a name
                owner = self.dotted(node.value)
                return f"{owner}.{node.attr}" if owner else f"?.{node.attr}"
            return ""
        for end in range(len(parts := plain.split(".")), 0, -1):
            known = self._known.get(".".join(parts[:end]))
            if known is not None:
                return ".".join([known, *parts[end:]])
        return plain

    def values(self, node: ast.expr) -> list[ast.expr]:
        """The expression itself, or for a name whatever was assigned to it."""
        if isinstance(node, ast.Name):
            return self.assigned.get(node.id, [])
        return [node]

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                self._known[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"
            elif alias.asname:
                self._known[alias.asname] = alias.name

    def _assign(self, node: ast.AST) -> None:
        pairs: list[tuple[ast.expr, ast.expr | None]] = []
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            pairs = [(node.target, node.value)]
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            pairs = [(node.optional_vars, node.context_expr)]
        for target, value in pairs:
            name = _plain(target)
            if not name or value is None:
                continue
            self.assigned.setdefault(name, []).append(value)
            if isinstance(value, ast.Call) and (made := self.dotted(value.func)):
                self._known.setdefault(name, made)


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def open_ended(call: ast.Call) -> bool:
    """Whether `**options` may carry any keyword."""
    return any(k.arg is None for k in call.keywords)


def constant(node: ast.expr | None, *values: object) -> bool:
    """Whether the node is one of these constants (True is not 1 here)."""
    return isinstance(node, ast.Constant) and any(
        node.value is value or (isinstance(value, str) and node.value == value) for value in values
    )


def entries(node: ast.expr | None) -> dict[str, ast.expr]:
    """Text keys of a dict display or of `dict(key=…)`."""
    if isinstance(node, ast.Dict):
        return {
            str(key.value): value
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant)
        }
    if isinstance(node, ast.Call) and _plain(node.func) == "dict":
        return {k.arg: k.value for k in node.keywords if k.arg}
    return {}


def _plain(node: ast.expr) -> str:
    """`a.b.c` of nested attributes of a name; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""
