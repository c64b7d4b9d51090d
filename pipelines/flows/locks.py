"""Taking and breaking the lock of an environment, and what must still hold once it is taken."""

from __future__ import annotations

from pipelines.flows.context import Context
from pipelines.model.errors import InProgress, SlipwayError
from pipelines.model.plan import Plan


def token_floor(ctx: Context) -> int:
    """What a new token must be at least, where hooks in a cluster take tokens of their own. They
    are fenced by the row; a database that is away fences nobody, and nobody waits for it."""
    if ctx.hooks is None:
        return 0
    try:
        return ctx.hooks.newest_token() + 1
    except SlipwayError:
        return 0


def same_plan(plan: Plan, now: Plan, command: str) -> None:
    """Raises InProgress where somebody acted between a plan and the lock it is carried out under."""
    if now.digest != plan.digest:
        raise InProgress(
            f"{plan.environment} has changed since this plan was made; nothing was done",
            hint=f"look again: slipway {command} --dry-run",
        )


def break_lock(ctx: Context, reason: str) -> int:
    """Take the lock by force and leave it free; returns the new token."""
    token = ctx.records.lock.preempt(ctx.actor, f"lock break: {reason}", lease_seconds=10)
    ctx.records.lock.release(token)
    ctx.records.audit.append(
        actor=ctx.actor, action="lock break", reason=reason, result=f"token {token}"
    )
    return token
