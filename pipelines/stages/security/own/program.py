"""Judges files in a process of its own: a file that makes the parser crash takes nothing along.

python -I -m pipelines.stages.security.own.program < request
request: {"folder": "…", "files": ["app/…"]}
answer: {"files": [[path, lines]…], "found": [[rule, path, line, last line, text]…], "unread": […]}
"""

from __future__ import annotations

import ast
import json
import sys
import warnings
from pathlib import Path
from typing import Any

from pipelines.stages.security.own.names import Names
from pipelines.stages.security.own.rules import RULES
from pipelines.stages.security.own.sql import only_constants


def judge(path: str, text: str) -> tuple[list[list[Any]], list[list[Any]]]:
    """What is wrong with one file, by line, and where SQL is made of constants. Raises SyntaxError,
    ValueError or RecursionError when it cannot be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes are the linter's to tell
        tree = ast.parse(text)
    names = Names(tree)
    found: list[list[Any]] = []
    constant: list[list[Any]] = []
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 1)
        last = getattr(node, "end_lineno", line)
        if only_constants(node, names):
            constant.append([path, line, last])
        for rule in RULES:
            if words := rule.judge(node, names):
                found.append([rule.name, path, line, last, words])
    return sorted(found), constant


def main() -> None:
    request = json.load(sys.stdin)
    folder = Path(request["folder"])
    files: list[list[Any]] = []
    found: list[list[Any]] = []
    constant: list[list[Any]] = []
    unread: list[str] = []
    for path in request["files"]:
        try:
            text = (folder / path).read_text("utf-8")
            wrong, harmless = judge(path, text)
            found += wrong
            constant += harmless
            files.append([path, text.count("\n") + 1])
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            unread.append(f"{path}: {type(error).__name__}")
    answer = {"files": files, "found": found, "sql_of_constants": constant, "unread": unread}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
