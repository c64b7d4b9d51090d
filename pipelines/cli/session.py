"""Opening an installation for a command. The heavy adapters load here, not with the command."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.cli.options import actor
from pipelines.cli.progress import Printer
from pipelines.flows.context import Context, Progress
from pipelines.model.errors import BadInput
from pipelines.model.release import ENVIRONMENTS
from pipelines.records.protocols import Operation


def open_environment(state: Path, environment: str, *, output: str = "text") -> Context:
    """Context of one environment; BadInput when there is no installation at `state`."""
    from pipelines import wiring

    printer: Callable[[Progress], None] = Printer(quiet=output == "json")
    return wiring.open_context(state, environment, actor=actor(), progress=printer)


def open_all(state: Path, only: str | None = None) -> list[Context]:
    """Every environment, or the one named. BadInput for an unknown name."""
    if only is not None and only not in ENVIRONMENTS:
        known = ", ".join(ENVIRONMENTS)
        raise BadInput(f"unknown environment '{only}'", hint=f"environments are: {known}")
    names = (only,) if only else ENVIRONMENTS
    return [open_environment(state, name, output="json") for name in names]


def operation_json(environment: str, operation: Operation) -> dict[str, Any]:
    """The documented shape of what `promote` and `rollback` answer."""
    return {
        "environment": environment,
        "release": operation.release,
        "from_slot": operation.from_slot,
        "to_slot": operation.to_slot,
        "seconds": seconds_between(operation.started_at, operation.ended_at),
        "switch_seconds": operation.switch_seconds,
        "steps": [
            {"name": step.name, "status": step.status, "seconds": round(step.seconds, 3)}
            for step in operation.steps
        ],
        "result": operation.status,
        "message": operation.message,
        "operation": operation.id,
    }


def seconds_between(started: str, ended: str) -> float | None:
    with suppress(ValueError):
        return round((datetime.fromisoformat(ended) - datetime.fromisoformat(started))
                     .total_seconds(), 3)  # fmt: skip
    return None
