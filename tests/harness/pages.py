"""A page of the documents as what it tells a person to do: files to write, commands to type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`(?P<path>[\w./-]+/[\w.-]+\.\w+)`:\Z")


@dataclass(frozen=True, slots=True)
class Write:
    """A block behind a sentence that ends with a file name and a colon."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Type:
    """A line behind `$ ` in a console block, or a whole `sh` block that has no such line."""

    command: str


def steps(page: Path, section: str = "") -> list[Write | Type]:
    """In the order of the page; of one section (its heading) when it is named."""
    text = page.read_text()
    if section:
        parts = re.split(r"^## ", text, flags=re.MULTILINE)
        text = next(part for part in parts if part.startswith(section))
    found: list[Write | Type] = []
    for block in _FENCE.finditer(text):
        if block["kind"] in ("console", "sh"):
            found += [Type(c) for c in _commands(block["body"])]
            continue
        before = text[: block.start()].rstrip()
        named = _FILE.search(before)
        if named:
            found.append(Write(named["path"], block["body"]))
    return found


def _commands(body: str) -> list[str]:
    """Lines behind `$ `; what follows behind `> ` or after a backslash belongs to them. Without
    such a line the whole is one script."""
    if not re.search(r"^\$ ", body, re.MULTILINE):
        return [body]
    commands: list[str] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            commands.append(line[2:])
        elif commands and (commands[-1].endswith("\\") or line.startswith("> ")):
            commands[-1] += "\n" + line.removeprefix("> ")
    return commands
