"""The release state machine: one operation from the guard to confirm, or back. Resumable anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pipelines.engine.decide import names_same
from pipelines.flows.before_switch import (
    backup_step,
    guard_step,
    stage_step,
    verify_step,
)
from pipelines.flows.commits import read_branch
from pipelines.flows.context import Context
from pipelines.flows.ending import end
from pipelines.flows.give_back import give_back
from pipelines.flows.held import held_here
from pipelines.flows.migrating import migrate_step
from pipelines.flows.run import Run, StepFailed, run_step
from pipelines.flows.switch import analyse_step, confirm_step, switch_step
from pipelines.model.branch import ActiveRow, BranchHead
from pipelines.model.errors import NeedsPerson, Refused, Unavailable
from pipelines.model.steps import STEPS
from pipelines.records.protocols import Operation, StepRecord


def _switch(run: Run) -> str:
    """Somebody may have held the release since the guard; this is the last moment before it counts."""
    read_branch(run.ctx)  # with git away, what it said last counts
    if run.release.id in held_here(run.ctx):
        raise StepFailed("switch", f"{run.release.id} was held meanwhile: slipway status")
    return switch_step(run)


ACTS: dict[str, Callable[[Run], str]] = {
    "guard": guard_step,
    "backup": backup_step,
    "migrate": migrate_step,
    "stage": stage_step,
    "verify": verify_step,
    "switch": _switch,
    "analyse": analyse_step,
    "confirm": confirm_step,
}


def deliver(ctx: Context, head: BranchHead, token: int) -> Operation:
    """Take the head's release into its slot. Returns the closed operation (succeeded or undone).

    Raises StaleToken when a newer operation took over, Unavailable when it should be called again.
    """
    run = _begin(ctx, head, token)
    if run.recall("failed") is None:
        try:
            _forward(run)
        except StepFailed as failure:
            run.remember("failed", {"step": failure.step, "message": failure.message})
        else:
            return _close(run, "succeeded", f"{run.release.id} is active in {run.to}")
    try:
        undone = give_back(run)
    except Unavailable:
        raise
    except NeedsPerson as error:
        return _close(run, "failed", str(error))
    return _close(run, "refused" if isinstance(undone, Refused) else "undone", str(undone))


def operation_id(ctx: Context, head: BranchHead, row: ActiveRow | None) -> str:
    """The operation that makes this head live. One that ended well and is not what the row says
    any more (the database was restored) is done again under a new name."""
    if row is not None and names_same(head, row):
        return row.operation
    known = ctx.records.journal.get(head.state.operation)
    if known is not None and known.status == "succeeded":
        return f"{known.id}-{row.epoch if row else 0}"
    return head.state.operation


def _begin(ctx: Context, head: BranchHead, token: int) -> Run:
    content = head.state.active_content
    assert content is not None
    reading = ctx.target.read_row()
    if reading.down:
        raise Unavailable(f"the database of {ctx.environment} does not answer: {reading.detail}")
    row = reading.row
    identity = operation_id(ctx, head, row)
    known = ctx.records.journal.get(identity)
    operation = ctx.records.journal.open(
        replace(known, token=token)
        if known
        else Operation(
            id=identity,
            kind=head.state.kind if head.state.kind in ("bootstrap", "promotion") else "sync",
            release=content.release,
            from_slot=row.slot if row else "",
            to_slot=head.state.active,
            commit=head.commit,
            actor=head.state.actor,
            reason=head.state.reason,
            options={},
            plan_digest="",
            status="running",
            message="",
            started_at=ctx.now().isoformat(),
            ended_at="",
            switch_seconds=None,
            token=token,
            steps=tuple(StepRecord(step.name, "pending", 0.0) for step in STEPS),
        )
    )
    journal = ctx.records.journal
    if journal.recall(operation.id, "former") is None:
        former = row.release if row and row.operation != operation.id else None
        occupant = ctx.target.observe_slot(head.state.active).release
        journal.remember(operation.id, token, "former", [former, occupant])
    former, occupant = journal.recall(operation.id, "former")
    try:
        release = ctx.store.get(content.release)
    except Refused as error:
        raise NeedsPerson(
            f"env/{ctx.environment} names release {content.release}, which is not built here",
            hint="build it: slipway build",
        ) from error
    return Run(ctx, operation, token, head, release, head.state.active, former, occupant)


def _forward(run: Run) -> None:
    operation = run.ctx.records.journal.get(run.operation.id)
    finished = (
        {s.name for s in operation.steps if s.status in ("done", "skipped")} if operation else set()
    )
    for step in STEPS:
        if step.name in finished:
            continue
        run.ctx.records.lock.check(run.token)
        run_step(run, step, ACTS[step.name])


def _close(run: Run, status: str, message: str) -> Operation:
    seconds = run.recall("switch_seconds")
    end(
        run.ctx,
        run.operation,
        run.token,
        status,
        message,
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
    )
    closed = run.ctx.records.journal.get(run.operation.id)
    assert closed is not None
    return closed
