"""Rollback: row, old slot accepts, bad slot is killed; git hears of it afterwards.

Needs neither the origin, nor the network, nor the new slot, nor CI. With the database down it moves
traffic only, and trading stays stopped until the row can be written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pipelines.flows.commits import DESIRED, new_operation_id
from pipelines.flows.context import Context
from pipelines.flows.ending import end
from pipelines.flows.held import held_here, hold_here
from pipelines.flows.locks import token_floor
from pipelines.flows.migrating import failed_migrating, undo_migrations
from pipelines.flows.mirror import stop_hooks
from pipelines.flows.publish import publish
from pipelines.flows.slots import CLOSED, bring_back
from pipelines.model.branch import ActiveRow, RowReading
from pipelines.model.errors import InProgress, NeedsPerson, Refused, SlipwayError
from pipelines.model.live import Handover
from pipelines.model.plan import Plan, PlanItem
from pipelines.model.release import Release
from pipelines.model.slots import Slot
from pipelines.records.protocols import Operation, StepRecord

PENDING = "pending_rollback"
STEP_NAMES = ("handover", "traffic", "stop", "publish")


def plan_rollback(
    ctx: Context, reading: RowReading, running: Operation | None = None
) -> tuple[Plan, Slot, str, Release]:
    """Plan, the slot and release to leave, and the release to go to; or why there is no way back.

    `running`: what was under way when the rollback came.
    """
    row = reading.row
    under_way = running if reading.down else None  # else the row tells
    bad = row.slot if row else _in_charge(ctx, under_way)
    if bad is None:
        raise Refused(
            f"nothing is active in {ctx.environment}", hint="release something first: slipway up"
        )
    to = bad.other
    old_id = ctx.target.observe_slot(to).release
    closed = ctx.records.journal.fact(CLOSED) or []
    named = old_id or (ctx.records.journal.fact(DESIRED) or {}).get(str(to))
    if named in closed:
        raise Refused(
            f"the way back of {ctx.environment} was closed by a contract migration: "
            f"{named} no longer fits the database",
            hint=f"fix forward: slipway build, slipway promote {ctx.environment}; "
            f"or go back with the data: slipway restore {ctx.environment}",
        )
    if old_id is None:
        raise Refused(
            f"slot {to} of {ctx.environment} is empty: there is no older release to go back to",
            hint=f"promote one you trust: slipway promote {ctx.environment} RELEASE --reason …",
        )
    bad_release = row.release if row else _left(ctx, bad, under_way)
    if old_id == bad_release:
        raise Refused(
            f"both slots of {ctx.environment} hold {old_id}: going back would change nothing",
            hint=f"promote another: slipway promote {ctx.environment} RELEASE --reason …",
        )
    just_left = row is not None and not row.published and row.previous_release == old_id
    if just_left or old_id in held_here(ctx):
        raise Refused(
            f"{old_id} in {to}, the only way back of {ctx.environment}, is held itself",
            hint=f"lift its hold: slipway unhold {ctx.environment} {old_id} --reason …; or promote another",
        )
    old = ctx.store.get(old_id)
    plan = Plan(
        ctx.environment,
        f"roll back {ctx.environment}",
        old.id,
        bad,
        to,
        (
            PlanItem(
                "handover",
                f"{to} with {old.id} (version {old.version}) becomes active and holds the trading lease",
            ),
            PlanItem("traffic", f"{to} accepts, {bad} stops accepting"),
            PlanItem("stop", f"{bad_release} in {bad} is killed"),
            PlanItem("publish", f"env/{ctx.environment} shows the revert; {bad_release} is held"),
        ),
        f"promote {bad_release} again after: slipway unhold {ctx.environment} {bad_release} --reason …",
    )
    return plan, bad, bad_release, old


def _in_charge(ctx: Context, running: Operation | None) -> Slot | None:
    """Without the row: what was under way says which slot it leads to, or leads away from. Until it
    has switched, traffic still goes where it comes from."""
    if running is None:
        return ctx.target.traffic()
    return Slot(running.from_slot if running.kind == "rollback" else running.to_slot)


def _left(ctx: Context, bad: Slot, running: Operation | None) -> str:
    """Its slot may not have been staged yet, and still hold what was there before."""
    if running is not None and running.kind != "rollback":
        return running.release
    return ctx.target.observe_slot(bad).release or ""


def rollback(ctx: Context, *, reason: str) -> Operation:
    """Back to the other slot. Pre-empts whoever holds the lock. Raises Refused without a way back."""
    started = ctx.monotonic()
    token = ctx.records.lock.preempt(
        ctx.actor, "rollback", lease_seconds=60.0, at_least=token_floor(ctx)
    )
    try:
        reading = ctx.target.read_row()
        row = reading.row
        running = stop_hooks(ctx, row, token) or ctx.records.journal.running()
        if running is not None and row is not None:
            if _not_switched(running, row):
                return _abort(ctx, running, row, reason, token)
            if running.kind == "rollback" and running.id == row.operation:
                return _finish(ctx, running, row, token)
        plan, bad, bad_release, old = plan_rollback(ctx, reading, running)
        operation = _open(ctx, plan, reason, token)
        if reading.down:  # the row cannot tell the next rollback what was left
            hold_here(ctx, bad_release)
            ctx.records.journal.set_fact(
                PENDING,
                {
                    "operation": operation.id,
                    "release": old.id,
                    "slot": str(bad.other),
                    "bad": bad_release,
                    "reason": reason,
                    "actor": ctx.actor,
                },
            )
        else:
            bring_back(ctx, bad.other, old)
        operation = _back(ctx, operation, row, bad, old, token)
        seconds = ctx.monotonic() - started
        _close_preempted(ctx, running, reason, token)
        message = _tell_git(ctx, operation, bad_release, reason, token)
        return _end(ctx, operation, bad_release, token, seconds, message, down=reading.down)
    finally:
        ctx.records.lock.release(token)
        ctx.wake()


def _not_switched(running: Operation, row: ActiveRow) -> bool:
    return running.kind != "rollback" and not row.operation.startswith(running.id)


def _abort(ctx: Context, running: Operation, row: ActiveRow, reason: str, token: int) -> Operation:
    """A promotion that has not switched yet is stopped: what is active stays active."""
    journal = ctx.records.journal
    slot = Slot(running.to_slot)
    ctx.target.set_traffic(slot, live=False)
    ctx.target.stop_slot(slot, kill=True)
    words = f"stopped by {ctx.actor} before the switch: {reason}"
    end(ctx, running, token, "preempted", words)
    try:
        publish(
            ctx,
            row=row,
            bad=running.release,
            reason=reason,
            actor=ctx.actor,
            operation=f"{running.id}-back",
        )
        told = f"env/{ctx.environment} shows the revert; {running.release} is held"
    except (NeedsPerson, InProgress, Refused) as error:
        told = f"git has not heard of it yet ({error.message}); the controller keeps trying"
    told += _undo_half_done(ctx, running)
    ctx.records.audit.append(
        actor=ctx.actor,
        action="rollback",
        reason=reason,
        result="succeeded",
        details={"operation": running.id, "held": running.release, "message": words},
    )
    stopped = journal.get(running.id) or running
    return replace(stopped, status="succeeded", message=f"{row.release} stays active. {told}")


def _finish(ctx: Context, running: Operation, row: ActiveRow, token: int) -> Operation:
    """One that was cut off, or is under way elsewhere, has written the row already: its rest is done.
    To go back once more from there would bring the bad release again, which nobody has held yet."""
    started = ctx.monotonic()
    operation = _back(ctx, running, None, row.slot.other, ctx.store.get(row.release), token)
    bad_release = row.previous_release or ""
    message = _tell_git(ctx, operation, bad_release, running.reason, token)
    return _end(ctx, operation, bad_release, token, ctx.monotonic() - started, message, down=False)


def _undo_half_done(ctx: Context, running: Operation) -> str:
    """Migrations that the old release was not yet found well on."""
    if not failed_migrating(ctx, running.id):
        return ""
    try:
        undo_migrations(ctx, running.id, ctx.store.get(running.release))
    except SlipwayError as error:
        return f". {error.message}; {error.hint or 'look at: slipway doctor'}"
    return ". Its migrations are undone"


def _open(ctx: Context, plan: Plan, reason: str, token: int) -> Operation:
    return ctx.records.journal.open(
        Operation(
            id=new_operation_id("rollback"),
            kind="rollback",
            release=plan.release,
            from_slot=plan.from_slot,
            to_slot=plan.to_slot,
            commit="",
            actor=ctx.actor,
            reason=reason,
            options={},
            plan_digest=plan.digest,
            status="running",
            message="",
            started_at=ctx.now().isoformat(),
            ended_at="",
            switch_seconds=None,
            token=token,
            steps=tuple(StepRecord(name, "pending", 0.0) for name in STEP_NAMES),
        )
    )


def _back(
    ctx: Context, operation: Operation, row: ActiveRow | None, bad: Slot, old: Release, token: int
) -> Operation:
    journal, target = ctx.records.journal, ctx.target

    def timed(name: str, failpoint: str, act: Callable[[], object]) -> None:
        begun = ctx.monotonic()
        journal.effect(operation.id, token, failpoint, act)
        journal.step(operation.id, token, name, "done", ctx.monotonic() - begun)

    def traffic() -> None:
        target.set_traffic(bad.other, live=True)
        target.set_traffic(bad, live=False)

    if row is not None:
        timed(
            "handover",
            "return.handover-back",
            lambda: target.handover(
                old,
                Handover(
                    slot=bad.other,
                    release=old.id,
                    operation=operation.id,
                    commit=row.commit,
                    token=token,
                    expect_epoch=row.epoch,
                    confirm_by=None,
                    published=False,
                    reason=operation.reason,
                ),
            ),
        )
    timed("traffic", "return.traffic-back", traffic)
    timed("stop", "return.stop-bad", lambda: target.stop_slot(bad, kill=True))
    return operation


def _close_preempted(ctx: Context, running: Operation | None, reason: str, token: int) -> None:
    """What was under way when the rollback came: nobody else would end it any more."""
    if running is not None:
        words = f"a rollback by {ctx.actor} came before it: {reason}"
        end(ctx, running, token, "preempted", words)


def _tell_git(ctx: Context, operation: Operation, bad: str, reason: str, token: int) -> str:
    """Publish now if git answers; otherwise the controller does it again and again."""
    begun = ctx.monotonic()
    try:
        row = ctx.target.read_row().row
        if row is None:
            raise NeedsPerson("the database does not answer yet")
        ctx.records.journal.effect(
            operation.id,
            token,
            "publish.revert",
            lambda: publish(
                ctx, row=row, bad=bad, reason=reason, actor=ctx.actor, operation=operation.id
            ),
        )
        ctx.records.journal.effect(
            operation.id,
            token,
            "publish.published",
            lambda: ctx.target.mark_published(row.operation, token),
        )
    except (NeedsPerson, InProgress, Refused) as error:
        message = f"git has not heard of it yet ({error.message}); the controller keeps trying"
        ctx.records.journal.step(
            operation.id, token, "publish", "waiting", ctx.monotonic() - begun, message
        )
        return message
    ctx.records.journal.step(operation.id, token, "publish", "done", ctx.monotonic() - begun)
    return f"env/{ctx.environment} shows the revert; {bad} is held"


def _end(
    ctx: Context,
    operation: Operation,
    bad: str,
    token: int,
    seconds: float,
    message: str,
    *,
    down: bool,
) -> Operation:
    if down:
        message = "traffic moved; trading stays stopped until the database answers. " + message
    end(ctx, operation, token, "succeeded", message, seconds=seconds, details={"held": bad})
    found = ctx.records.journal.get(operation.id)
    return found or replace(operation, status="succeeded", message=message)


def finish_pending(ctx: Context, token: int) -> None:
    """The database is back: write the row that a traffic-only rollback could not."""
    pending = ctx.records.journal.fact(PENDING)
    if not pending:
        return
    row = ctx.target.read_row().row
    if row is None:
        return
    if row.operation != pending["operation"] and row.release == pending["bad"]:
        old = ctx.store.get(pending["release"])
        try:
            ctx.target.handover(
                old,
                Handover(
                    slot=Slot(pending["slot"]),
                    release=old.id,
                    operation=pending["operation"],
                    commit=row.commit,
                    token=token,
                    expect_epoch=row.epoch,
                    confirm_by=None,
                    published=False,
                    reason=pending["reason"],
                ),
            )
        except SlipwayError as error:
            ctx.say("return", "waiting", error.message)
            return
    running = ctx.records.journal.running()
    if running is not None and running.id == pending["operation"]:
        words = "finished by the controller once the database answered"
        end(ctx, running, token, "succeeded", words, details={"held": pending["bad"]})
    ctx.records.journal.set_fact(PENDING, None)
