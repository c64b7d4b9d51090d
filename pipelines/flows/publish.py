"""Telling git what live became: the revert and the hold. Repeatable until git has heard it."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.flows.commits import require_head, write
from pipelines.flows.context import Context
from pipelines.flows.held import git_knows, hold_here
from pipelines.model.branch import ActiveRow, BranchHead, BranchState, Hold
from pipelines.model.errors import Refused
from pipelines.model.slots import Slot, SlotContent


def publish(
    ctx: Context, *, row: ActiveRow | None, bad: str | None, reason: str, actor: str, operation: str
) -> str:
    """Bring `env/<env>` in line with the row and hold `bad`. Returns the head's commit.

    Raises Unavailable when the origin is away, InProgress when somebody wrote between; both are
    tried again by the controller. Until then `bad` is held here. Writing twice is writing once.
    """
    if bad:
        hold_here(ctx, bad)
    head = require_head(ctx)
    assert head is not None
    state = revert_state(
        ctx, head, row=row, bad=bad, reason=reason, actor=actor, operation=operation
    )
    commit = head.commit if state is None else _write(ctx, state, head, bad, reason)
    if bad:
        git_knows(ctx, bad)
    return commit


def _write(ctx: Context, state: BranchState, head: BranchHead, bad: str | None, reason: str) -> str:
    kind = "Hold" if state.kind == "hold" else "Revert"
    what = state.active_content.version if state.active_content else "nothing"
    return write(
        ctx,
        state,
        expect=head.commit,
        subject=f"{kind} {ctx.environment}: {what} runs, {bad or 'no release'} is held\n\n{reason}\n\n"
        f"This reverts commit {head.commit}.",
    )


def revert_state(
    ctx: Context,
    head: BranchHead,
    *,
    row: ActiveRow | None,
    bad: str | None,
    reason: str,
    actor: str,
    operation: str,
) -> BranchState | None:
    """The next state of the branch, or None when it says so already."""
    state = head.state
    held = bad is None or state.is_held(bad) is not None
    wanted = state.active_content
    same = (
        wanted is not None
        and row is not None
        and (state.active, wanted.release) == (row.slot, row.release)
    )
    if held and (same or (row is None and wanted is None)):
        return None
    now = ctx.now().isoformat(timespec="seconds")
    holds = state.holds if held else (*state.holds, Hold(bad or "", reason, actor, now))
    moved_on = wanted is not None and bad is not None and wanted.release != bad and not same
    if same or moved_on:
        # Git went on to a third release meanwhile: only the hold is added, the rest stands.
        active, slots, kind, operation = state.active, state.slots, "hold", state.operation
    else:
        active, slots, kind = _former(ctx, head, row)
    return BranchState(
        environment=state.environment,
        active=active,
        slots=slots,
        holds=holds,
        kind=kind,
        reason=reason,
        actor=actor,
        operation=operation,
        at=now,
        audit_head=state.audit_head,
    )


def _former(
    ctx: Context, head: BranchHead, row: ActiveRow | None
) -> tuple[Slot, Mapping[Slot, SlotContent | None], str]:
    """Slots as they were before the promotion that is being taken back."""
    active = row.slot if row else head.state.active
    before = _state_before(ctx, head)
    slots: dict[Slot, SlotContent | None] = {Slot.BLUE: None, Slot.GREEN: None}
    if row is not None:
        slots[active] = content_of(ctx, row.release)
        former = before.slots.get(active.other) if before else None
        slots[active.other] = former if former and former.release != row.release else None
    return active, slots, "rollback"


def _state_before(ctx: Context, head: BranchHead) -> BranchState | None:
    """The state before the newest promotion on the branch (holds in between do not count)."""
    commits = ctx.origin.history(ctx.environment, 50)
    for index, commit in enumerate(commits):
        if commit.state.kind in ("promotion", "bootstrap"):
            return commits[index + 1].state if index + 1 < len(commits) else None
    return None


def content_of(ctx: Context, release_id: str) -> SlotContent | None:
    """How a release is named in a slot; None when it has left the store."""
    try:
        release = ctx.store.get(release_id)
    except Refused:
        return None
    return SlotContent(release.id, release.version, release.source_commit)
