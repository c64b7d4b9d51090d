"""Contract migrations: a step of its own, after the window, printing which releases it closes."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.flows.commits import new_operation_id
from pipelines.flows.context import Context
from pipelines.flows.locks import same_plan
from pipelines.flows.slots import CLOSED
from pipelines.model.branch import ActiveRow
from pipelines.model.errors import InProgress, Refused, Unavailable
from pipelines.model.hook import closed_key
from pipelines.model.plan import Plan, PlanItem
from pipelines.model.release import Release
from pipelines.model.slots import Slot


@dataclass(frozen=True, slots=True)
class _Found:
    """What is active, which contract migrations it brings, and which releases those close."""

    row: ActiveRow
    release: Release
    revisions: tuple[str, ...]
    closes: list[str]


def plan_contract(ctx: Context, *, early: bool = False) -> Plan:
    """What would be applied and closed. Refused while the row is provisional or the rollback
    window is open (unless `early`)."""
    return _plan(ctx, _find(ctx), early=early)


def _find(ctx: Context) -> _Found:
    reading = ctx.target.read_row()
    if reading.down or reading.row is None:
        raise Unavailable(f"nothing is active in {ctx.environment}", hint="see: slipway status")
    release = ctx.store.get(reading.row.release)
    revisions = ctx.target.migration_status(release).contract
    closes = closed_by(ctx, revisions, reading.row) if revisions else []
    return _Found(reading.row, release, revisions, closes)


def _plan(ctx: Context, found: _Found, *, early: bool) -> Plan:
    active = (found.release.id, found.row.slot, found.row.slot)
    if not found.revisions:
        return Plan(ctx.environment, "contract", *active, (), "")
    _window(ctx, found.row, early=early)
    items = (
        PlanItem("backup", "a base backup is taken and verified"),
        PlanItem("contract", f"contract migrations {', '.join(found.revisions)}"),
        *(PlanItem("close", f"{name} can never run here again") for name in found.closes),
    )
    way_back = f"only a restore: slipway restore {ctx.environment}"
    return Plan(ctx.environment, "contract", *active, items, way_back)


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
        _alone(ctx)
        found = _find(ctx)
        # The window was judged when the plan was made.
        same_plan(plan, _plan(ctx, found, early=True), f"migrate contract {ctx.environment}")
        release, revisions, closes = found.release, found.revisions, found.closes
        backup = ctx.target.backup(f"before contract {', '.join(revisions)}")
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


def _tell_hooks(ctx: Context, closes: list[str], operation: str) -> None:
    """In a cluster they do not see the journal, and git may be reverted to what is closed."""
    if ctx.hooks is None:
        return
    ctx.hooks.prepare()
    for release in closes:
        ctx.hooks.record_once(closed_key(release), operation)
