"""What the stage says: a document that is the same every time, what was observed, and Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.stages.migration_history import History
from pipelines.stages.migration_lint import LEFT_OUT, LEFT_OUT_OF_CONTRACT
from pipelines.stages.migration_policy import Limits
from pipelines.stages.migration_rehearsal import Outcome
from pipelines.stages.migration_scripts import CONTRACT

BACKUP, GENERATED = "backup", "generated"


@dataclass(frozen=True, slots=True)
class Facts:
    """`backup` is empty where rows were generated; `outcome` None where nothing was rehearsed."""

    history: History
    outcome: Outcome | None
    ok: bool
    backup: str
    limits: Limits
    observed: Mapping[str, Any]

    @property
    def data(self) -> str:
        return BACKUP if self.backup else GENERATED


def document(facts: Facts) -> dict[str, Any]:
    """`rehearsal` and what `observed` has under the same key are, together, the predicate
    of `pipelines.model.evidence.REHEARSAL`."""
    new = facts.history.new
    left_out = dict(LEFT_OUT)
    if any(script.kind == CONTRACT for script in new):
        left_out |= LEFT_OUT_OF_CONTRACT
    said: dict[str, Any] = {
        "migrations": [
            {"revision": s.revision, "kind": s.kind, "path": s.path, "sha256": s.sha256}
            for s in new
        ],
        "merged": [script.revision for script in facts.history.merged],
        "left_out": left_out,
        "limits": {
            "rows": facts.limits.rows,
            "longest_stall_seconds": facts.limits.longest_stall_seconds,
        },
    }
    if facts.outcome is not None and facts.outcome.migrations:
        said["rehearsal"] = {
            "migrations": list(facts.outcome.migrations),
            "data": facts.data,
            "backup": facts.backup,
            "rows": facts.outcome.rows,
            "steps": _once(facts.outcome),
            "closes": bool(facts.outcome.closes),
            "ok": facts.ok,
        }
    return said


def observed(facts: Facts) -> dict[str, Any]:
    out = facts.outcome
    if out is None:
        return {}
    seen = {
        name: out.exercise.get(name) for name in ("requests", "writes", "errors", "p99_seconds")
    }
    return {
        "copy_seconds": facts.observed.get("copy_seconds"),
        "rehearsal": {
            "seconds": facts.observed.get("seconds"),
            "longest_stall_seconds": out.stall_seconds,
        },
        "stalls_seconds": list(out.stalls),
        "requests": seen,
        "steps": [{"what": s.what, "ok": s.ok, "seconds": round(s.seconds, 3)} for s in out.steps],
    }


def summary(facts: Facts) -> str:
    out = facts.outcome
    if out is None or not out.migrations:
        return f"{len(facts.history.head.scripts)} scripts linted, nothing to rehearse"
    where = f"{out.rows:,} rows of {facts.backup or 'generated data'}"
    stall = (
        "" if out.stall_seconds is None else f", longest stall {out.stall_seconds * 1000:.0f} ms"
    )
    return f"{', '.join(out.migrations)}: up, down, up on {where}{stall}"


def markdown(facts: Facts) -> str:
    lines = ["| migration | kind | what it does |", "|---|---|---|"]
    lines += [f"| `{s.revision}` | {s.kind} | {_cell(s.message)} |" for s in facts.history.new]
    if not facts.history.new:
        lines = ["No new migration."]
    if facts.outcome is not None:
        lines += ["", *_rehearsed(facts, facts.outcome)]
    return "\n".join(lines) + "\n"


def _rehearsed(facts: Facts, out: Outcome) -> list[str]:
    data = (
        f"Rehearsed on backup `{facts.backup}`, {out.rows:,} rows."
        if facts.backup
        else f"Rehearsed on {out.rows:,} **generated** rows: no evidence for production."
    )
    lines = [data, "", "| step | | seconds |", "|---|---|---:|"]
    lines += [
        f"| {_cell(s.what)} | {'✓' if s.ok else '✗ ' + _cell(s.note)} | {s.seconds:.1f} |"
        for s in out.steps
    ]
    if out.stall_seconds is not None:
        limit = facts.limits.longest_stall_seconds
        lines += [
            "",
            f"{out.exercise.get('requests', 0)} requests meanwhile,"
            f" {out.exercise.get('errors', 0)} failed; the longest waited"
            f" {out.stall_seconds * 1000:.0f} ms (at most {limit * 1000:.0f}).",
        ]
    if out.closes:
        lines += ["", f"**Closes** {_cell(out.closes)}"]
    return lines


def _once(out: Outcome) -> list[str]:
    """Without the rounds that only measured again."""
    return list(
        dict.fromkeys(f"{step.what}: {'ok' if step.ok else 'failed'}" for step in out.steps)
    )


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
