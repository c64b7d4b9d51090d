"""Breaking a lock whose holder is stuck."""

from __future__ import annotations

from pipelines.flows.context import Context
from pipelines.model.errors import SlipwayError


def token_floor(ctx: Context) -> int:
    """What a new token must be at least, where hooks in a cluster take tokens of their own. They
    are fenced by the row; a database that is away fences nobody, and nobody waits for it."""
    if ctx.hooks is None:
        return 0
    try:
        return ctx.hooks.newest_token() + 1
    except SlipwayError:
        return 0


def break_lock(ctx: Context, reason: str) -> int:
    """Take the lock by force and leave it free; returns the new token."""
    token = ctx.records.lock.preempt(ctx.actor, f"lock break: {reason}", lease_seconds=10)
    ctx.records.lock.release(token)
    ctx.records.audit.append(
        actor=ctx.actor, action="lock break", reason=reason, result=f"token {token}"
    )
    return token
