"""A finding in code that a person has looked at: `# nosec B608 - the columns are a constant`.

The comment must stand on a line of the finding, or alone on the one above, name its rule, and say
why. ruff's own form, `# noqa: S608 - why`, counts as well: its S rules are bandit's under another
letter. What neither names a rule nor a reason suppresses nothing, and `# nosec` without them is a
finding of its own.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.model.check import Finding

SHORTEST_REASON = 8
_NOSEC = re.compile(r"#\s*nosec\b:?\s*(?P<codes>[\w, -]*?)\s+-\s+(?P<reason>\S.*)$", re.IGNORECASE)
_NOQA = re.compile(r"#\s*noqa:\s*(?P<codes>[A-Z0-9, ]+?)\s+-\s+(?P<reason>\S.*)$", re.IGNORECASE)
_ANY_NOSEC = re.compile(r"#\s*nosec\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Suppression:
    """`last_line` is the line after for a comment that stands alone."""

    line: int
    last_line: int
    rules: frozenset[str]
    reason: str


def read_suppressions(path: str, text: str) -> tuple[list[Suppression], list[Finding]]:
    """All valid ones of a file, and a finding for each `nosec` that is none."""
    found: list[Suppression] = []
    findings: list[Finding] = []
    for line, comment, alone in _comments(text):
        made = _parse(line, line + alone, comment)
        if made is not None:
            found.append(made)
        elif _ANY_NOSEC.search(comment):
            findings.append(
                Finding(
                    "suppression/no-reason",
                    "a suppression names its rule and says why",
                    path=path,
                    line=line,
                    hint="# nosec B608 - why this is no danger here",
                )
            )
    return found, findings


def suppressed(
    suppressions: Iterable[Suppression], rules: Iterable[str], first: int, last: int
) -> bool:
    """Whether one of the suppressions on lines `first` to `last` names one of the rules."""
    names = frozenset(rules)
    return any(s.rules & names and s.line <= last and first <= s.last_line for s in suppressions)


def _parse(line: int, last_line: int, comment: str) -> Suppression | None:
    nosec, noqa = _NOSEC.search(comment), _NOQA.search(comment)
    found = nosec or noqa
    if found is None or len(found["reason"].strip()) < SHORTEST_REASON:
        return None
    codes = {code for code in re.split(r"[, ]+", found["codes"].strip()) if code}
    if nosec is None:
        codes = {f"B{code[1:]}" for code in codes if re.fullmatch(r"S\d{3}", code)}
    return (
        Suppression(line, last_line, frozenset(codes), found["reason"].strip()) if codes else None
    )


def _comments(text: str) -> list[tuple[int, str, bool]]:
    """(line, comment, whether it stands alone). Real comments only: a `nosec` within a text is none.
    A file that cannot be read this way has none; bandit says what is wrong with it."""
    try:
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        return [
            (t.start[0], t.string, t.line.lstrip().startswith("#"))
            for t in tokens
            if t.type == tokenize.COMMENT
        ]
    except (tokenize.TokenError, SyntaxError, ValueError):
        return []
