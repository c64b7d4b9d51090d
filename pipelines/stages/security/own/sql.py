"""SQL that is put together out of parts, seen from the call that sends it."""

from __future__ import annotations

import ast
import re

from pipelines.stages.security.own.names import Names

_EXECUTES = ("execute", "executemany", "executescript")
_OTHERS = ("fetch", "fetchrow", "fetchval", "fetchall", "raw", "read_sql", "mogrify", "copy")
_WRAPPERS = ("sqlalchemy.text", "sqlalchemy.sql.text", "psycopg.sql.SQL", "psycopg2.sql.SQL")
_WORD = re.compile(
    r"\b(select|insert|update|delete|create|drop|alter|truncate|grant|with|copy|set|begin|lock"
    r"|notify|listen|values|where)\b",
    re.IGNORECASE,
)
_STATEMENT = re.compile(
    r"\b(select\b.*\bfrom|insert\s+into|update\b.*\bset|delete\s+from|where\b.*=|values\s*\("
    r"|(create|drop|alter)\s+(table|index|view|schema|role|user|database)|truncate\s|copy\s)",
    re.IGNORECASE | re.DOTALL,
)
_MARKS = re.compile(r"[?%s:,() ]*")


def from_parts(node: ast.AST, names: Names) -> str:
    """What is wrong with a call that sends SQL; constants (UPPER_CASE) and rows of placeholders may
    be put in, anything else may not."""
    if not isinstance(node, ast.Call) or not node.args:
        return ""
    name = names.dotted(node.func)
    method = name.rpartition(".")[2]
    if not method and isinstance(node.func, ast.Attribute):
        method = node.func.attr
    if method not in _EXECUTES + _OTHERS and name not in _WRAPPERS:
        return ""
    form = _WORD if method in _EXECUTES else _STATEMENT
    for value in names.values(node.args[0]):
        part = _part(value, names)
        if part and form.search(_constant_text(value)):
            return f"SQL is put together with {part}: give values as parameters"
    return ""


def only_constants(node: ast.AST, names: Names) -> bool:
    """Whether the node is SQL put together of nothing but constants and rows of placeholders: the
    reason why bandit's B608, which cannot tell, does not count there."""
    if not isinstance(node, ast.JoinedStr | ast.BinOp | ast.Call):
        return False
    made = bool(_pieces(node, names)) and not _part(node, names)
    return made and bool(_WORD.search(_constant_text(node)))


def _part(node: ast.expr, names: Names) -> str:
    """The first thing put into the text that is not known to be harmless, as code."""
    for piece in _pieces(node, names):
        if not _harmless(piece, names):
            return ast.unparse(piece)[:60]
    return ""


def _pieces(node: ast.expr, names: Names) -> list[ast.expr]:
    """What is put into a text by an f-string, `%`, `+` or `.format`."""
    if isinstance(node, ast.JoinedStr):
        return [value.value for value in node.values if isinstance(value, ast.FormattedValue)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        right = node.right
        return list(right.elts) if isinstance(right, ast.Tuple) else [right]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [p for side in (node.left, node.right) for p in _pieces(side, names) or [side]]
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return []
    if node.func.attr == "format" and _is_text(node.func.value):
        return [*node.args, *(k.value for k in node.keywords)]
    return []


def _harmless(piece: ast.expr, names: Names) -> bool:
    if isinstance(piece, ast.Constant):
        return True
    if isinstance(piece, ast.JoinedStr):
        return not _part(piece, names)
    if isinstance(piece, ast.Name | ast.Attribute):
        name = names.dotted(piece).rpartition(".")[2]
        return name.strip("_").isupper()
    if isinstance(piece, ast.BinOp) and isinstance(piece.op, ast.Mult):
        return isinstance(piece.left, ast.Constant)
    return isinstance(piece, ast.Call) and _placeholders(piece)


def _placeholders(call: ast.Call) -> bool:
    """`", ".join("?" * n)` and `", ".join("%s" for _ in rows)`; `int(…)` cannot carry SQL."""
    if isinstance(call.func, ast.Name) and call.func.id in ("int", "len"):
        return True
    if not (isinstance(call.func, ast.Attribute) and call.func.attr == "join" and call.args):
        return False
    texts = [n.value for n in ast.walk(call.args[0]) if isinstance(n, ast.Constant)]
    plain = [text for text in texts if isinstance(text, str)]
    shape = isinstance(call.args[0], ast.BinOp | ast.List | ast.GeneratorExp | ast.ListComp)
    element = getattr(call.args[0], "elt", None)
    fixed = element is None or isinstance(element, ast.Constant)
    return bool(plain) and shape and fixed and all(_MARKS.fullmatch(text) for text in plain)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _constant_text(node: ast.expr) -> str:
    return " ".join(
        n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    )
