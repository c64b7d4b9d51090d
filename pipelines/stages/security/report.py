"""The stage's section of the report, for people."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.stages.security.part import Part


def summary(parts: Sequence[Part]) -> str:
    """One line: what was looked at, and what came of it."""
    broken = [f"{part.name}: {part.broken}" for part in parts if part.broken]
    if broken:
        return "; ".join(broken)[:200]
    looked = ", ".join(f"{part.samples:,} {part.what}" for part in parts)
    errors = sum(part.errors for part in parts)
    return f"{looked}: {'nothing found' if not errors else f'{errors} to put right'}"


def markdown(parts: Sequence[Part]) -> str:
    lines = ["| part | looked at | found | said by |", "|---|---|---|---|"]
    for part in parts:
        tools = ", ".join(f"{name} {version}" for name, version in sorted(part.tools.items()))
        lines.append(
            f"| {part.name} | {part.samples:,} {part.what} | {_found(part)} | {tools or _source(part)} |"
        )
    return "\n".join(lines) + "\n"


def _found(part: Part) -> str:
    if part.broken:
        return "could not be done"
    others = len(part.findings) - part.errors
    words = f"{part.errors} errors" if part.errors else "nothing"
    return f"{words}, {others} remarks" if others else words


def _source(part: Part) -> str:
    snapshot = part.document.get("snapshot")
    if snapshot is None:
        return "the package index" if part.document.get("source") == "index" else ""
    age = part.observed.get("snapshot_age_days")
    return (
        f"snapshot of {snapshot['modified'][:10]} ({age:.0f} of at most"
        f" {part.document['max_age_days']:g} days old, {snapshot['records']:,} records)"
    )
