"""Breaking a lock whose holder is stuck."""

from __future__ import annotations

from pipelines.flows.context import Context


def break_lock(ctx: Context, reason: str) -> int:
    """Take the lock by force and leave it free; returns the new token."""
    token = ctx.records.lock.preempt(ctx.actor, f"lock break: {reason}", lease_seconds=10)
    ctx.records.lock.release(token)
    ctx.records.audit.append(
        actor=ctx.actor, action="lock break", reason=reason, result=f"token {token}"
    )
    return token
