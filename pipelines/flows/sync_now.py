"""`slipway sync`: one look of the controller, done by the command itself under the same lock."""

from __future__ import annotations

from pipelines.flows.context import Context
from pipelines.flows.locks import token_floor
from pipelines.flows.sync import look, plan_sync
from pipelines.model.errors import InProgress
from pipelines.model.plan import Plan

LEASE_SECONDS = 60.0
CONTROLLER_SECONDS = 60.0


def sync_now(ctx: Context, plan: Plan) -> str:
    """What was done, in words: by a living controller, which is woken, else by this process.

    Raises InProgress when somebody else acts on the environment, or has acted since the plan was
    made.
    """
    try:
        token = ctx.records.lock.acquire(
            ctx.actor, "sync", lease_seconds=LEASE_SECONDS, at_least=token_floor(ctx)
        )
    except InProgress:
        if ctx.wake() and _done_by_the_controller(ctx):
            return "by the controller"
        raise
    try:
        if plan_sync(ctx).digest != plan.digest:
            raise InProgress(
                f"{ctx.environment} has changed since this plan was made; nothing was done",
                hint=f"look again: slipway sync {ctx.environment} --dry-run",
            )
        return look(ctx, token)
    finally:
        ctx.records.lock.release(token)


def _done_by_the_controller(ctx: Context) -> bool:
    deadline = ctx.monotonic() + CONTROLLER_SECONDS
    while ctx.monotonic() < deadline:
        if plan_sync(ctx).empty:
            return True
        ctx.sleep(0.3)
    return False
