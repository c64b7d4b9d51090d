"""Contract migrations: a step of its own, after the window, printing which releases it closes."""

from __future__ import annotations

from pipelines.flows.commits import new_operation_id
from pipelines.flows.context import Context
from pipelines.flows.slots import CLOSED
from pipelines.model.branch import ActiveRow
from pipelines.model.errors import InProgress, Refused, Unavailable
from pipelines.model.hook import closed_key
from pipelines.model.plan import Plan, PlanItem
from pipelines.model.release import Release
from pipelines.model.slots import Slot


def plan_contract(ctx: Context, *, early: bool = False) -> Plan:
    """What would be applied and closed. Refused while the row is provisional or the rollback
    window is open (unless `early`)."""
    reading = ctx.target.read_row()
    if reading.down or reading.row is None:
        raise Unavailable(f"nothing is active in {ctx.environment}", hint="see: slipway status")
    row = reading.row
    release = ctx.store.get(row.release)
    status = ctx.target.migration_status(release)
    if not status.contract:
        return Plan(ctx.environment, "contract", release.id, row.slot, row.slot, (), "")
    _window(ctx, row, early=early)
    closes = closed_by(ctx, status.contract, row)
    items = (
        PlanItem("backup", "a base backup is taken and verified"),
        PlanItem("contract", f"contract migrations {', '.join(status.contract)}"),
        *(PlanItem("close", f"{name} can never run here again") for name in closes),
    )
    return Plan(
        ctx.environment,
        "contract",
        release.id,
        row.slot,
        row.slot,
        items,
        f"only a restore: slipway restore {ctx.environment}",
    )


def _window(ctx: Context, row: ActiveRow, *, early: bool) -> None:
    if row.provisional:
        raise Refused(
            f"{row.release} is not confirmed yet", hint="wait for the soak: slipway status"
        )
    hours = (ctx.now() - row.changed_at).total_seconds() / 3600
    window = ctx.settings().rollback_window_hours
    if hours < window and not early:
        raise Refused(
            f"the rollback window is open: {hours:.1f} of {window:g} hours since the switch",
            hint="wait, or override it with: --early --reason …",
        )


def closed_by(ctx: Context, revisions: tuple[str, ...], row: ActiveRow) -> list[str]:
    """Releases whose code does not know the contract revisions, so cannot live without what goes."""
    return [
        release.id
        for release in ctx.store.all()
        if release.id != row.release and not set(revisions) <= set(release.migrations)
    ]


def contract(ctx: Context, plan: Plan, *, reason: str) -> str:
    """Apply the plan. Returns a sentence. Raises InProgress when somebody acts on the environment, or
    has acted since the plan was made."""
    _alone(ctx)
    token = ctx.records.lock.preempt(ctx.actor, "contract migration", lease_seconds=600.0)
    try:
        release, row = _as_planned(ctx, plan)
        revisions = ctx.target.migration_status(release).contract
        backup = ctx.target.backup(f"before contract {', '.join(revisions)}")
        closes = closed_by(ctx, revisions, row)
        # Closed before it is applied: a crash in between must not leave a way back that is none.
        already = ctx.records.journal.fact(CLOSED) or []
        ctx.records.journal.set_fact(CLOSED, sorted({*already, *closes}))
        operation = new_operation_id("contract")
        _tell_hooks(ctx, closes, operation)
        idle = Slot(plan.from_slot).other
        if ctx.target.observe_slot(idle).release in closes:
            ctx.target.stop_slot(idle, kill=False, forget=True)
        ctx.records.lock.check(token)
        ctx.target.migrate(release, "contract")
        ctx.records.audit.append(
            actor=ctx.actor,
            action="contract",
            reason=reason,
            plan_digest=plan.digest,
            result="done",
            details={
                "operation": operation,
                "revisions": list(revisions),
                "closes": closes,
                "backup": backup.name,
            },
        )
        return f"applied {', '.join(revisions)}; closed {', '.join(closes) or 'no release'}"
    finally:
        ctx.records.lock.release(token)
        ctx.wake()


def _alone(ctx: Context) -> None:
    running = ctx.records.journal.running()
    if running is not None:
        raise InProgress(
            f"{running.id} of {running.actor} is under way in {ctx.environment}",
            hint=f"when it has ended: slipway migrate contract {ctx.environment} --reason …",
        )


def _as_planned(ctx: Context, plan: Plan) -> tuple[Release, ActiveRow]:
    """Release and row that the plan was made for. The window was judged when it was made."""
    _alone(ctx)
    if plan_contract(ctx, early=True).digest != plan.digest:
        raise InProgress(
            f"{ctx.environment} has changed since this plan was made; nothing was done",
            hint=f"look again: slipway migrate contract {ctx.environment} --dry-run",
        )
    row = ctx.target.read_row().row
    if row is None:
        raise Unavailable(f"the database of {ctx.environment} does not answer")
    return ctx.store.get(plan.release), row


def _tell_hooks(ctx: Context, closes: list[str], operation: str) -> None:
    """In a cluster they do not see the journal, and git may be reverted to what is closed."""
    if ctx.hooks is None:
        return
    ctx.hooks.prepare()
    for release in closes:
        ctx.hooks.record_once(closed_key(release), operation)
