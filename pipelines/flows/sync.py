"""Sync: making live equal to the head of `env/<env>`. One look decides one thing and does it."""

from __future__ import annotations

from pipelines.engine.decide import Decision, Verb, decide
from pipelines.flows.alarm import alarm
from pipelines.flows.commits import read_branch
from pipelines.flows.context import Context
from pipelines.flows.deliver import deliver, operation_id
from pipelines.flows.drift import drift, heal, heal_traffic
from pipelines.flows.ending import end, end_left_over
from pipelines.flows.evidence import say_unsaid
from pipelines.flows.late import NO_WAY_BACK, row_back
from pipelines.flows.observe import WAITING, observe
from pipelines.flows.publish import publish
from pipelines.flows.rollback import finish_pending
from pipelines.flows.slots import require_slots, restage
from pipelines.model.branch import ActiveRow
from pipelines.model.errors import InProgress, SlipwayError, StaleToken, Unavailable
from pipelines.model.plan import Plan, PlanItem


def plan_sync(ctx: Context) -> Plan:
    """What the next sync would do: the object that `sync` applies. Raises BadInput for a release
    without slots on a cluster."""
    decision = decide(read_branch(ctx), ctx.target.read_row(), ctx.now())
    require_slots(ctx, decision.head.state.active_content if decision.head else None)
    items: list[PlanItem] = []
    if decision.verb is not Verb.NOTHING:
        items.append(PlanItem(decision.verb.value, decision.reason))
    if decision.verb in (Verb.NOTHING, Verb.ALARM, Verb.WAIT):
        items += drift(ctx, decision.row)
    row = decision.row
    return Plan(
        ctx.environment,
        f"sync {ctx.environment}",
        row.release if row else "",
        str(row.slot) if row else "",
        str(decision.head.state.active) if decision.head else "",
        tuple(items),
        "",
    )


def look(ctx: Context, token: int, *, thorough: bool = True) -> str:
    """One look at git, row and live; does what follows. Returns what was done, for the log.

    `thorough` also looks at every process and heals. Settings are read at its beginning: they stay the
    same for a release. Raises StaleToken when a newer operation took over.
    """
    ctx.reread()
    if ctx.observed is not None:
        return observe(ctx, token)
    ctx.records.lock.check(token)
    finish_pending(ctx, token)
    decision = decide(read_branch(ctx), ctx.target.read_row(), ctx.now())
    alarm(ctx, decision)
    try:
        return _act(ctx, decision, token, thorough=thorough)
    except StaleToken:
        raise
    except (Unavailable, InProgress) as error:
        ctx.say("sync", "waiting", error.message)
        _ensure(ctx, token)
        return f"{WAITING}{error.message}"


def _act(ctx: Context, decision: Decision, token: int, *, thorough: bool) -> str:
    if decision.verb in (Verb.FORWARD, Verb.RESUME) and decision.head is not None:
        return _forward(ctx, decision, token)
    row = decision.row
    if decision.verb is Verb.PUBLISH and row is not None:
        return _publish(ctx, row, token)
    if decision.verb is Verb.SWITCH_BACK and row is not None:
        return _switch_back(ctx, row, token)
    if decision.verb is Verb.WAIT:
        _ensure(ctx, token)
        return decision.reason
    _resume_undo(ctx, decision, token)
    done = [*heal(ctx, row, token), *say_unsaid(ctx, token)] if thorough else []
    return "; ".join(done) or decision.reason


def _forward(ctx: Context, decision: Decision, token: int) -> str:
    head = decision.head
    assert head is not None
    known = ctx.records.journal.get(operation_id(ctx, head, decision.row))
    if decision.verb is Verb.RESUME and (known is None or known.status != "running"):
        heal(ctx, decision.row, token)
        return decision.reason
    if (
        decision.verb is Verb.FORWARD
        and known is not None
        and known.status in ("undone", "refused", "preempted", "failed")
    ):
        # The revert of an ended operation has not reached git: it must not be tried again.
        return _give_up(
            ctx, decision.row, head.state.active_content, known.message, token, head.state.operation
        )
    operation = deliver(ctx, head, token)
    return f"{operation.id} {operation.status}: {operation.message}"


def _give_up(
    ctx: Context, row: ActiveRow | None, content: object, message: str, token: int, operation: str
) -> str:
    bad = getattr(content, "release", None)
    publish(
        ctx,
        row=row,
        bad=bad,
        reason=message.splitlines()[0] if message else "ended",
        actor="slipway",
        operation=f"{operation}-back",
    )
    restage(ctx, row)
    return f"{bad} is held; the branch names what runs again"


def _publish(ctx: Context, row: ActiveRow, token: int) -> str:
    heal_traffic(ctx, token)
    known = ctx.records.journal.get(row.operation)
    actor = known.actor if known else "slipway"
    publish(
        ctx,
        row=row,
        bad=row.previous_release,
        reason=row.reason,
        actor=actor,
        operation=row.operation,
    )
    ctx.target.mark_published(row.operation, token)
    end_left_over(ctx, token, row)
    restage(ctx, ctx.target.read_row().row)
    return f"published the return to {row.release}"


def _switch_back(ctx: Context, row: ActiveRow, token: int) -> str:
    """Nobody confirmed in time: the analysis died, so its answer is no."""
    running = ctx.records.journal.running()
    if running is not None and running.id == row.operation:
        ctx.records.journal.remember(
            running.id,
            token,
            "failed",
            {
                "step": "analyse",
                "message": "nobody confirmed the switch in time: the analysis died",
            },
        )
        head = read_branch(ctx).head
        if head is not None and head.state.operation == running.id:
            operation = deliver(ctx, head, token)
            return f"{operation.id} {operation.status}"
    old = row_back(ctx, row, token)
    if old is None:
        return NO_WAY_BACK
    heal(ctx, ctx.target.read_row().row, token)
    ctx.target.stop_slot(row.slot, kill=True)
    return f"switched back to {old.id}"


def _resume_undo(ctx: Context, decision: Decision, token: int) -> None:
    """An undo that died after its revert reached git still has its last effects to run; a promotion
    that neither row nor branch names any more was overtaken by a rollback that died."""
    running = ctx.records.journal.running()
    if running is None or running.status != "running":
        return
    if running.kind == "rollback":
        end_left_over(ctx, token, decision.row)
        return
    row = ctx.target.read_row().row
    failed = ctx.records.journal.recall(running.id, "failed")
    if failed is None:
        if row is not None and row.operation == running.id and not row.provisional:
            end(ctx, running, token, "succeeded", "confirmed")
        elif _overtaken(running.id, decision, row):
            end(ctx, running, token, "preempted", "a rollback overtook it")
        return
    restage(ctx, row)
    end(ctx, running, token, "undone", f"{failed['step']}: {failed['message']}")


def _overtaken(operation: str, decision: Decision, row: ActiveRow | None) -> bool:
    head = decision.head
    if decision.verb is not Verb.NOTHING or row is None or head is None:
        return False
    return operation not in (row.operation, head.state.operation)


def _ensure(ctx: Context, token: int) -> None:
    """Start what does not run. Not while somebody else acts: a restore stops the database."""
    ctx.records.lock.check(token)
    newest = ctx.store.newest()
    if newest is None:
        return
    try:
        ctx.target.ensure(newest)
    except SlipwayError as error:
        ctx.say("heal", "waiting", error.message)
