"""Hooks in a cluster as operations of this installation's journal: for history, evidence and followers.

They write into the environment's database; what is here is copied from there, and never the other
way round.
"""

from __future__ import annotations

from pipelines.engine.admission import under_way
from pipelines.flows.context import Context
from pipelines.flows.ending import end
from pipelines.flows.evidence import UNSAID
from pipelines.model import hook
from pipelines.model.branch import ActiveRow
from pipelines.model.errors import SlipwayError
from pipelines.model.hook import HookRecord
from pipelines.model.slots import Slot
from pipelines.records.protocols import Operation, StepRecord

WORDS = {
    hook.RUNNING: "running",
    hook.SUCCEEDED: "done",
    hook.SKIPPED: "skipped",
    hook.FAILED: "failed",
    hook.REFUSED: "failed",
    hook.STOPPED: "failed",
}


def mirror(ctx: Context, token: int, records: list[HookRecord], commit: str) -> Operation | None:
    """The newest operation among the records, opened or brought up to date. One that is closed stays
    as it is. What found its work done is no operation: nothing would ever end it."""
    acting = [one for one in records if one.status != hook.SKIPPED]
    if not acting:
        return None
    newest = acting[-1]
    journal = ctx.records.journal
    known = journal.get(newest.operation)
    if known is None:
        known = journal.open(_operation(ctx, token, newest, commit))
    if known.status != "running":
        return known
    told = {step.name: (step.status, step.detail) for step in known.steps}
    for one in records:
        seen = (WORDS.get(one.status, "running"), one.message)
        if one.operation == newest.operation and told.get(one.step) != seen:
            journal.step(newest.operation, token, one.step, seen[0], 0.0, seen[1])
    return journal.get(newest.operation)


def _operation(ctx: Context, token: int, newest: HookRecord, commit: str) -> Operation:
    slot = Slot(newest.slot)
    row = ctx.target.read_row().row
    return Operation(
        id=newest.operation,
        kind="promotion",
        release=newest.release,
        from_slot=str(slot.other) if row is not None else "",
        to_slot=str(slot),
        commit=commit,
        actor=ctx.syncer,
        reason="",
        options={},
        plan_digest="",
        status="running",
        message="",
        started_at=newest.at,
        ended_at="",
        switch_seconds=None,
        token=token,
        steps=tuple(StepRecord(name, "pending", 0.0) for name in hook.STEPS),
    )


def close(ctx: Context, token: int, operation: str, status: str, message: str) -> None:
    """End it here as well, unless that was done before."""
    known = ctx.records.journal.get(operation)
    if known is None or known.status != "running":
        return
    seconds = ctx.records.journal.recall(operation, "switch_seconds")
    end(ctx, known, token, status, message, seconds=None if seconds is None else float(seconds))


def finish(ctx: Context, token: int, row: ActiveRow, commit: str) -> None:
    """What hooks confirmed is closed here, and the evidence of its soak is owed."""
    assert ctx.hooks is not None
    known = ctx.records.journal.get(row.operation)
    if known is not None and known.status != "running":
        return
    records = [one for one in ctx.hooks.of(row.operation) if one.operation == row.operation]
    good = [one for one in records if (one.step, one.status) == ("switch", hook.SUCCEEDED)]
    if not good or mirror(ctx, token, records, commit) is None:
        return
    journal = ctx.records.journal
    for one in records:
        for key, value in one.details.items():
            if value is not None:
                journal.remember(row.operation, token, key, value)
    unsaid = journal.fact(UNSAID) or []
    journal.set_fact(UNSAID, sorted({*unsaid, row.operation}))
    close(ctx, token, row.operation, "succeeded", good[0].message)


def stop_hooks(ctx: Context, row: ActiveRow | None, token: int) -> Operation | None:
    """The operation that hooks work on and have not switched to yet: none of them writes anything
    any more. None where there is none, or the database is away."""
    if ctx.hooks is None:
        return None
    try:
        newest = ctx.hooks.newest()
        if newest is None or not under_way(newest, row):
            return None
        ctx.hooks.take_token(at_least=token)
        records = [
            one for one in ctx.hooks.of(newest.operation) if one.operation == newest.operation
        ]
        found = mirror(ctx, token, records, "")
        words = f"stopped by {ctx.actor} before the switch"
        ctx.hooks.write(_stopped(newest, words))
    except SlipwayError as error:
        ctx.say("hooks", "waiting", error.message)
        return None
    return found if found is not None and found.status == "running" else None


def _stopped(newest: HookRecord, words: str) -> HookRecord:
    return HookRecord(
        operation=newest.operation,
        step="switch",
        named=newest.named,
        release=newest.release,
        slot=newest.slot,
        status=hook.STOPPED,
        message=words,
        at=newest.at,
    )
