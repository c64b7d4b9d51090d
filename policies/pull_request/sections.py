"""Headings of a Markdown text and what stands under them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADING = re.compile(r" {0,3}#{1,6} (.*)")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_WORD = re.compile(r"\w+")
_EMPTY_BOX = re.compile(r"^[ \t]*[-*] \[ \].*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """`text` is without comments, which are the template's own words."""

    title: str
    text: str


def read_sections(text: str) -> dict[str, Section]:
    """By title in small letters; the first of a title counts. Headings inside code are none."""
    found: dict[str, Section] = {}
    title, lines, fence = "", [], ""
    for line in [*_COMMENT.sub("", text).splitlines(), "# "]:
        fence = _fence_after(line, fence)
        heading = None if fence else _HEADING.fullmatch(line)
        if heading is None:
            lines.append(line)
            continue
        if title:
            found.setdefault(title.casefold(), Section(title, "\n".join(lines).strip()))
        title, lines = heading[1].strip().rstrip("#").rstrip(), []
    return found


def _fence_after(line: str, fence: str) -> str:
    """The fence that is open after this line; empty when none is."""
    match = _FENCE.match(line)
    if match is None:
        return fence
    if not fence:
        return match[1]
    return "" if match[1] == fence else fence


def words_of(text: str) -> int:
    """Words that somebody wrote: boxes that are not ticked are the template's."""
    return len(_WORD.findall(_EMPTY_BOX.sub("", text)))
