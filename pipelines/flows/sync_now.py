"""`slipway sync`: one look of the controller, done by the command itself under the same lock."""

from __future__ import annotations

from pipelines.flows.context import Context
from pipelines.flows.locks import same_plan, token_floor
from pipelines.flows.sync import look, plan_sync
from pipelines.model.environment import ARGO_CD
from pipelines.model.errors import BadInput, InProgress
from pipelines.model.plan import Plan
from pipelines.records.sync_diary import confirm_prunes, withdraw

LEASE_SECONDS = 60.0
CONTROLLER_SECONDS = 60.0
CONFIRMED_SECONDS = 600.0
"""Should this process die, its confirmation dies with it soon."""
APPROVED = "argocd.argoproj.io/deletion-approved"


def sync_now(ctx: Context, plan: Plan, *, confirm_prune: bool = False) -> str:
    """What was done, in words: by a living controller, which is woken, else by this process.

    `confirm_prune`: until this returns, syncs may remove what `Prune=confirm` holds back. Raises
    InProgress when somebody else acts on the environment, or has acted since the plan was made;
    BadInput where such a confirmation reaches nobody.
    """
    if not confirm_prune:
        return _sync_now(ctx, plan)
    need_confirmation(ctx)
    actor, until = ctx.actor, ctx.now().timestamp() + CONFIRMED_SECONDS
    ctx.records.audit.append(
        actor=actor, action="confirm prunes", plan_digest=plan.digest, result="done"
    )
    confirm_prunes(ctx.records, actor, until)
    try:
        return _sync_now(ctx, plan)
    finally:
        withdraw(ctx.records)


def need_confirmation(ctx: Context) -> None:
    """Raises BadInput where nobody here prunes what asks for confirmation."""
    if ctx.manifests is None:
        raise BadInput(
            f"--confirm-prune: {ctx.environment} runs on this machine, where nothing asks for"
            " confirmation before it is removed",
            hint=f"type: slipway sync {ctx.environment}",
        )
    if ctx.observed is not None:
        how = (
            f"{APPROVED} of its Application"
            if ctx.syncer == ARGO_CD
            else "slipway.dev/prune-confirmed=COMMIT of the config map slipway-sync"
        )
        raise BadInput(
            f"--confirm-prune: {ctx.environment} is not synced from here, but by {ctx.syncer}",
            hint=f"set the annotation {how} in the cluster, as the message of its sync says",
        )


def _sync_now(ctx: Context, plan: Plan) -> str:
    try:
        token = ctx.records.lock.acquire(
            ctx.actor, "sync", lease_seconds=LEASE_SECONDS, at_least=token_floor(ctx)
        )
    except InProgress:
        if ctx.wake() and _done_by_the_controller(ctx):
            return "by the controller"
        raise
    try:
        same_plan(plan, plan_sync(ctx), f"sync {ctx.environment}")
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
