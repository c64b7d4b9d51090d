"""The end of an operation: said in the audit, and closed in the journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.flows.context import Context
from pipelines.model.branch import ActiveRow
from pipelines.records.protocols import Operation


def end(
    ctx: Context,
    operation: Operation,
    token: int,
    status: str,
    message: str,
    *,
    seconds: float | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """The audit comes first: a crash in between has it said twice, and never not at all.

    `seconds`: how long the switch took. Raises StaleToken before anything is written.
    """
    ctx.records.lock.check(token)
    rolls_back = operation.kind == "rollback"
    ctx.records.audit.append(
        actor=operation.actor,
        action="rollback" if rolls_back else f"{operation.kind} ended",
        reason=operation.reason,
        plan_digest=operation.plan_digest,
        result=status,
        details={
            "operation": operation.id,
            "release": operation.release,
            "message": message,
            **(details or {}),
        },
    )
    ctx.records.journal.close(operation.id, token, status, message, seconds)


def end_left_over(ctx: Context, token: int, row: ActiveRow | None) -> None:
    """A rollback whose process died after the row was written is finished; one that died before, or
    could not write it, has failed: nobody may think that it went back."""
    running = ctx.records.journal.running()
    if running is None or running.kind != "rollback":
        return
    if row is not None and row.operation == running.id:
        held = {"held": row.previous_release}
        end(ctx, running, token, "succeeded", "finished by the controller", details=held)
        return
    active = f"{row.release} is active" if row is not None else "nothing is active"
    again = f"ask again: slipway rollback {ctx.environment} --reason …"
    end(
        ctx,
        running,
        token,
        "failed",
        f"it was cut off before it changed anything: {active}\n  {again}",
    )
