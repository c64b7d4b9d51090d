"""SQL as far as the rule needs it: statements without comments and texts, split where they end."""

from __future__ import annotations

import re

_SKIPPED = re.compile(
    r"""
      (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<text>(?:\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'))
    | (?P<dollar>\$(?P<tag>(?:[A-Za-z_][A-Za-z0-9_]*)?)\$.*?\$(?P=tag)\$)
    | (?P<name>"(?:[^"]|"")*")
    | (?P<open>['"]|\$(?:[A-Za-z_][A-Za-z0-9_]*)?\$)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_ENDS = re.compile(r"/\*|\*/")


class Unreadable(ValueError):
    """A text or a comment that never ends."""


def statements(text: str) -> list[str]:
    """Lower case, one space between words, texts as '', quoted names without quotes, empty ones
    left out. Raises Unreadable."""
    parts = _plain(text).split(";")
    return [" ".join(part.split()).lower() for part in parts if part.strip()]


def _plain(text: str) -> str:
    found, at = [], 0
    while match := _SKIPPED.search(text, at):
        found.append(text[at : match.start()])
        at = match.end()
        if match["open"]:
            raise Unreadable(f"{match['open']} is opened and never closed")
        if match["block"]:
            at = _end_of_block(text, at)
        found.append(_instead(match))
    return "".join([*found, text[at:]])


def _instead(match: re.Match[str]) -> str:
    if match["name"]:
        # What a quoted name may hold besides word characters must not look like SQL.
        return re.sub(r"\W", "_", match["name"][1:-1])
    return "''" if match["text"] or match["dollar"] else " "


def _end_of_block(text: str, at: int) -> int:
    """PostgreSQL's block comments nest."""
    depth = 1
    while depth:
        match = _BLOCK_ENDS.search(text, at)
        if match is None:
            raise Unreadable("/* is opened and never closed")
        depth += 1 if match[0] == "/*" else -1
        at = match.end()
    return at
