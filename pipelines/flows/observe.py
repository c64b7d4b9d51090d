"""One look at an environment that somebody in the cluster syncs: Argo CD, or Slipway there. It goes
forward there; what it cannot do is done here: tell git of a release that failed, of a rollback, and go
back from a switch nobody confirmed."""

from __future__ import annotations

from pipelines.engine.decide import Decision, Verb, decide
from pipelines.flows.alarm import alarm
from pipelines.flows.commits import read_branch
from pipelines.flows.context import Context
from pipelines.flows.drift import heal_traffic
from pipelines.flows.ending import end_left_over
from pipelines.flows.evidence import say_unsaid
from pipelines.flows.late import NO_WAY_BACK, row_back
from pipelines.flows.mirror import close, finish, mirror
from pipelines.flows.publish import publish
from pipelines.flows.rollback import finish_pending
from pipelines.model import hook
from pipelines.model.branch import ActiveRow, BranchHead
from pipelines.model.errors import InProgress, StaleToken, Unavailable
from pipelines.model.hook import HookRecord

OBSERVER = "slipway"
WAITING = "waiting: "
"""How a look begins its words when something did not answer, or somebody else acts."""
JOB_SECONDS = 100.0
"""No switch hook is left so long after it should have confirmed: its job was ended."""


def observe(ctx: Context, token: int) -> str:
    """Returns what was done, for the log. Raises StaleToken when somebody newer acts."""
    ctx.records.lock.check(token)
    finish_pending(ctx, token)
    decision = decide(read_branch(ctx), ctx.target.read_row(), ctx.now())
    alarm(ctx, decision)
    try:
        healed = heal_traffic(ctx, token)
        return "; ".join([*healed, _act(ctx, decision, token)])
    except StaleToken:
        raise
    except (Unavailable, InProgress) as error:
        ctx.say("observe", "waiting", error.message)
        return f"{WAITING}{error.message}"


def _act(ctx: Context, decision: Decision, token: int) -> str:
    row, head = decision.row, decision.head
    if decision.verb is Verb.PUBLISH and row is not None:
        return _tell(ctx, row, token)
    if decision.verb is Verb.SWITCH_BACK and row is not None:
        if _still_analysed(ctx, row):
            return "the switch hook is late, but still at its analysis"
        return _late(ctx, row, token)
    if decision.verb in (Verb.FORWARD, Verb.RESUME) and head is not None:
        return _followed(ctx, head, row, token)
    if decision.verb is Verb.NOTHING and row is not None and not row.provisional:
        finish(ctx, token, row, head.commit if head else "")
        done = say_unsaid(ctx, token)
        return "; ".join(done) or decision.reason
    return decision.reason


def _tell(ctx: Context, row: ActiveRow, token: int) -> str:
    """Git hears of a rollback, by a person or by the hook that said no."""
    failed = _failed_of(ctx, row, token)
    known = ctx.records.journal.get(row.operation)
    publish(
        ctx,
        row=row,
        bad=row.previous_release,
        reason=row.reason,
        actor=known.actor if known else OBSERVER,
        operation=row.operation,
    )
    ctx.target.mark_published(row.operation, token)
    if _left(row) != row.operation:  # a hook that died wrote nothing of its end: the row says why
        words = f"{failed[-1].step}: {failed[-1].message}" if failed else row.reason
        close(ctx, token, _left(row), "undone", words)
    end_left_over(ctx, token, row)
    return f"published the return to {row.release}"


def _failed_of(ctx: Context, row: ActiveRow, token: int) -> list[HookRecord]:
    """Of the release that was left, so that its operation is closed with its words."""
    assert ctx.hooks is not None
    left = _left(row)
    records = [one for one in ctx.hooks.of(left) if one.operation == left]
    mirror(ctx, token, records, row.commit)
    return [one for one in records if one.status in (hook.FAILED, hook.STOPPED)]


def _left(row: ActiveRow) -> str:
    """The operation that was given back; that of a person's rollback is the row's own."""
    return row.operation.removesuffix("-back").removesuffix("-late")


def _still_analysed(ctx: Context, row: ActiveRow) -> bool:
    """A slow hook says itself what comes of it. One that is gone has given its lock back; one whose node
    is gone may not have, but its job's limit is over."""
    assert ctx.hooks is not None
    assert row.confirm_by is not None
    return (ctx.now() - row.confirm_by).total_seconds() < JOB_SECONDS and ctx.hooks.busy()


def _late(ctx: Context, row: ActiveRow, token: int) -> str:
    """Nobody confirmed in time: the hook died, so its answer is no. The next look tells git."""
    old = row_back(ctx, row, token)
    if old is None or row.previous_slot is None:
        return NO_WAY_BACK
    ctx.target.set_traffic(row.previous_slot, live=True, wait_seconds=2.0)
    return f"switched back to {old.id}"


def _followed(ctx: Context, head: BranchHead, row: ActiveRow | None, token: int) -> str:
    assert ctx.hooks is not None
    records = ctx.hooks.of(head.state.operation)
    operation = mirror(ctx, token, records, head.commit)
    newest = [one for one in records if operation is not None and one.operation == operation.id]
    bad = [one for one in newest if one.status in (hook.FAILED, hook.STOPPED, hook.REFUSED)]
    if bad:
        held = any(one.status != hook.REFUSED for one in bad)
        return _give_up(ctx, head, row, f"{bad[-1].step}: {bad[-1].message}", token, held=held)
    said = ctx.observed(head.commit) if ctx.observed is not None else ""
    if said and (row is None or not row.provisional):
        return _give_up(ctx, head, row, said, token, held=True)
    steps = ", ".join(f"{one.step} {one.status}" for one in newest)
    return f"{ctx.syncer} is on its way to {head.commit[:12]}{': ' if steps else ''}{steps}"


def _give_up(
    ctx: Context, head: BranchHead, row: ActiveRow | None, words: str, token: int, *, held: bool
) -> str:
    content = head.state.active_content
    bad = content.release if content and held else None
    operation = head.state.operation
    publish(
        ctx,
        row=row,
        bad=bad,
        reason=words.splitlines()[0],
        actor=OBSERVER,
        operation=f"{operation}-back",
    )
    close(ctx, token, operation, "undone" if held else "refused", words)
    return f"{bad or 'nothing'} is held; the branch names what runs again: {words}"
