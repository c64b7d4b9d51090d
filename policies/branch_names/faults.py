"""What can be wrong with a name, in words. First the things git itself or a shell would trip on."""

from __future__ import annotations

import re
import unicodedata

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)", re.ASCII)

# What git refuses, in its own order of check-ref-format.
_GIT = (
    (re.compile(r"(^|/)\."), "a part of it begins with a dot, which git refuses"),
    (re.compile(r"\.\."), "it has two dots in a row, which git reads as a range"),
    (re.compile(r"[~^:?*\[\\]"), "it has one of ~ ^ : ? * [ \\, which git refuses"),
    (re.compile(r"//|^/|/$"), "a slash at an end or two in a row, which git refuses"),
    (re.compile(r"\.lock(/|$)"), "a part of it ends with .lock, which git keeps for itself"),
    (re.compile(r"@\{|^@$"), "it has @{, which git reads as a moment of a branch"),
    (re.compile(r"\.$"), "it ends with a dot, which git refuses"),
)


def shown(name: str) -> str:
    """The name for a message: printable, at most 60 characters."""
    short = name if len(name) <= 60 else name[:57] + "..."
    return ascii(short)


def of_any_name(name: str, max_length: int) -> str:
    """Faults that do not depend on the branch model; empty when there is none."""
    if not name:
        return "it is empty"
    if len(name) > max_length:
        return f"it has {len(name)} characters, at most {max_length} are allowed"
    if strange := next((c for c in name if not c.isascii() or not c.isprintable()), None):
        words = unicodedata.name(strange, "a control character")
        return f"it has U+{ord(strange):04X} ({words}); only a-z, 0-9 and - are allowed"
    if name.startswith("-"):
        return "it begins with -, so that commands would read it as an option"
    if " " in name:
        return "it has a space"
    if words := next((words for pattern, words in _GIT if pattern.search(name)), ""):
        return words
    return "it has upper-case letters" if name != name.lower() else ""


def of_rest(rest: str, prefix: str) -> str:
    """Faults of what follows a prefix."""
    if NAME.fullmatch(rest):
        return ""
    if not rest:
        return f"nothing follows {prefix}"
    if strange := next((c for c in rest if not (c.isalnum() or c == "-")), None):
        return f"{strange!r} after {prefix}: only a-z, 0-9 and single - are allowed"
    return f"after {prefix}, a - at an end or two in a row"


def of_version(rest: str, prefix: str) -> str:
    """Faults of a version after `release/v`."""
    if VERSION.fullmatch(rest):
        return ""
    numbers = rest.split(".")
    if len(numbers) == 3 and all(n.isdigit() for n in numbers):
        return f"version {rest!r} has a leading zero"
    return f"{rest!r} after {prefix} is no version of three numbers"
