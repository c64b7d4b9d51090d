"""What a sync would do, in the report: a table for each group of environments with equal steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pipelines.stages.render_plan import Step
from pipelines.stages.report_text import escaped

MOST_STEPS = 60
_LONGEST_CELL = 120
_SIGNS = {"create": "➕", "change": "✏️", "replace": "♻️", "prune": "🗑️", "hook": "🪝"}


def counts(steps: Mapping[str, Sequence[Step]]) -> dict[str, int]:
    """Objects by what happens to them, each once however many environments it is in. Hooks that
    run as before are no change."""
    seen = {
        (step.action, step.resource)
        for found in steps.values()
        for step in found
        if step.action != "hook" or step.new
    }
    return {
        action: number
        for action in ("create", "change", "replace", "prune", "hook", "skip")
        if (number := sum(one == action for one, _ in seen))
    }


def summary(steps: Mapping[str, Sequence[Step]]) -> str:
    """`objects: 2 create, 1 change`; empty when nothing would happen."""
    said = ", ".join(f"{number} {action}" for action, number in counts(steps).items())
    return f"objects: {said}" if said else ""


def plain(steps: Mapping[str, Sequence[Step]]) -> dict[str, list[dict[str, Any]]]:
    """For the JSON report, by environment and in the order in which they run."""
    return {name: [asdict(step) for step in found] for name, found in steps.items()}


def markdown(steps: Mapping[str, Sequence[Step]]) -> str:
    """One collapsible block for each group of environments whose steps are equal."""
    groups: dict[str, tuple[list[str], Sequence[Step]]] = {}
    for environment, found in steps.items():
        groups.setdefault(repr(found), ([], found))[0].append(environment)
    return "\n\n".join(_block(names, found) for names, found in groups.values())


def _block(environments: Sequence[str], steps: Sequence[Step]) -> str:
    where = escaped(", ".join(environments))
    said = summary({"": steps})
    if not said:
        return f"On a cluster no object of {where} changes."
    return (
        f"<details><summary>On a cluster, {where}: {said.removeprefix('objects: ')}</summary>\n\n"
        f"{_table(steps)}\n\n</details>"
    )


def _table(steps: Sequence[Step]) -> str:
    rows = [row for step in steps for row in _rows(step)]
    lines = ["| phase | | object | field | old | new |", "|---|---|---|---|---|---|", *rows]
    if len(rows) > MOST_STEPS:
        lines = [*lines[: MOST_STEPS + 2], f"| … | | {len(rows) - MOST_STEPS} more | | | |"]
    return "\n".join(lines)


def _rows(step: Step) -> list[str]:
    phase = f"{step.phase} {step.wave}" if step.wave else step.phase
    action = f"{_SIGNS.get(step.action, '')} {step.action}".strip()
    if step.action == "hook":
        action += "" if step.new else " as before"
    start = [phase, action, step.resource]
    if not step.fields:
        return [_row([*start, step.message, "", ""])]
    return [
        _row([
            *start,
            f"{field.path}{' (immutable)' if field.immutable else ''}",
            "–" if field.old is None else field.old,
            "–" if field.new is None else field.new,
        ])
        for field in step.fields
    ]  # fmt: skip


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escaped(cell, _LONGEST_CELL) for cell in cells) + " |"
