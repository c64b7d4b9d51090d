"""CODEOWNERS: who owns a path. As on GitHub: the last rule that fits counts, also an empty one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.model.errors import BadInput

FILE = ".github/CODEOWNERS"
_MAX_CHARACTERS = 1_000_000
_OWNER = re.compile(
    r"@[A-Za-z0-9][A-Za-z0-9-]*(/[A-Za-z0-9._-]+)?|[^@\s]+@[^@\s]+\.[^@\s]+", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Rule:
    """`owners` empty: what fits is owned by nobody."""

    pattern: str
    owners: tuple[str, ...]
    line: int
    expression: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class CodeOwners:
    """In the order of the file."""

    rules: tuple[Rule, ...]

    def of(self, path: str) -> tuple[str, ...]:
        """Handles or addresses; empty where nobody owns the path."""
        for rule in reversed(self.rules):
            if rule.expression.fullmatch(path):
                return rule.owners
        return ()


def parse(text: str, file: str = FILE) -> CodeOwners:
    """Raises BadInput with the line of what GitHub would ignore or read otherwise."""
    if len(text) > _MAX_CHARACTERS:
        raise BadInput(f"{file}: larger than {_MAX_CHARACTERS:,} characters", hint="shorten it")
    rules = []
    for number, raw in enumerate(text.splitlines(), start=1):
        words = raw.split("#", 1)[0].split()
        if words:
            rules.append(_rule(words, number, file))
    return CodeOwners(tuple(rules))


def _rule(words: list[str], line: int, file: str) -> Rule:
    pattern, owners = words[0], tuple(words[1:])
    if re.search(r"[\[\]!\\?]", pattern):
        raise BadInput(
            f"{file}: line {line}: pattern {pattern!r:.80} has one of ! [ ] \\ ?, which do not work here",
            hint="use *, ** and / only",
        )
    for owner in owners:
        if not _OWNER.fullmatch(owner):
            raise BadInput(
                f"{file}: line {line}: {owner!r:.80} is no owner",
                hint="write @person, @organisation/team or an e-mail address",
            )
    return Rule(pattern, owners, line, re.compile(_expression(pattern), re.DOTALL))


def _expression(pattern: str) -> str:
    """A pattern with a slash before its end begins at the top; any other fits at every depth. One
    that could name a folder fits everything below it, except when it ends with a single `*`."""
    anchored = "/" in pattern.rstrip("/")
    folder = pattern.endswith("/")
    body = pattern.strip("/")
    parts = []
    for position, part in enumerate(body.split("/")):
        last = position == len(body.split("/")) - 1
        if part == "**":
            parts.append(".*" if last else "(?:[^/]+/)*")
        else:
            parts.append(re.escape(part).replace(r"\*", "[^/]*") + ("" if last else "/"))
    start = "" if anchored else "(?:.*/)?"
    if folder:
        end = "/.*"
    elif body.endswith("/*"):
        end = ""
    else:
        end = "(?:/.*)?"
    return start + "".join(parts) + end
