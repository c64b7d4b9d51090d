"""CHANGELOG.md: one section a version, newest first, made from what was merged."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipelines.model.check import CommitFact

FILE = "CHANGELOG.md"
HEADER = "# Changelog\n\nWritten by `slipway promote`; newest first.\n"
_MERGE = re.compile(r"Merge (?P<branch>[a-z0-9/.-]+)(?: into [a-z0-9/.-]+)?\Z")
_GROUPS: Mapping[str, str] = {
    "feature/quant-strategy-": "Strategies",
    "feature/strategy-": "Strategies",
    "feature/data-source-": "Data sources",
    "feature/security-": "Security",
    "hotfix/": "Fixes",
    "feature/": "Features",
}
_ORDER = (*dict.fromkeys(_GROUPS.values()), "Other changes")


def section(version: str, day: str, commits: Sequence[CommitFact]) -> str:
    """The section of one version. `day` is YYYY-MM-DD (UTC), `commits` along the first parents,
    newest first; back-merges and Slipway's own changelog commits are left out."""
    grouped: dict[str, list[str]] = {name: [] for name in _ORDER}
    for commit in commits:
        entry = _entry(commit)
        if entry:
            grouped[entry[0]].append(entry[1])
    parts = [f"## {version} — {day}\n"]
    for name, lines in grouped.items():
        if lines:
            parts.append(f"### {name}\n\n" + "".join(f"- {line}\n" for line in lines))
    if len(parts) == 1:
        parts.append("Settings and documents only.\n")
    return "\n".join(parts)


def with_section(text: str | None, version: str, added: str) -> str:
    """The file with the section on top. A section of this version that is there already is kept:
    cutting a release twice writes it once."""
    body = (text or "").removeprefix(HEADER).lstrip("\n")
    if any(line.startswith(f"## {version} ") for line in body.splitlines()):
        return text or ""
    return f"{HEADER}\n{added}" + (f"\n{body}" if body else "")


def section_of(text: str, version: str) -> str:
    """The section of a version without its heading, empty when there is none."""
    lines = text.splitlines(keepends=True)
    starts = [n for n, line in enumerate(lines) if line.startswith("## ")]
    for n in starts:
        if lines[n].startswith(f"## {version} "):
            end = next((m for m in starts if m > n), len(lines))
            return "".join(lines[n + 1 : end]).strip()
    return ""


def _entry(commit: CommitFact) -> tuple[str, str] | None:
    found = _MERGE.match(commit.subject)
    branch = found["branch"] if found else ""
    if branch in ("main", "develop") or branch.startswith("release/"):
        return None  # a back-merge brings nothing new
    if commit.author == "Slipway" and commit.subject.startswith("Write the changelog"):
        return None
    words = _one_line(commit.body.split("\n\n", 1)[0]) if branch else ""
    text = words or _one_line(commit.subject)
    group = next(
        (name for prefix, name in _GROUPS.items() if branch.startswith(prefix)), "Other changes"
    )
    where = f"{branch}, " if branch else ""
    return group, f"{text} ({where}{commit.id[:8]}, {_one_line(commit.author)})"


def _one_line(text: str) -> str:
    """Untrusted words on one line of Markdown: no markup of theirs has a meaning."""
    flat = " ".join(text.split())[:200]
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", flat)
