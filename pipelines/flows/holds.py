"""Hold and unhold: machine commits that change only the list of holds.

The operation named on the branch stays: it is the one that asked for what is active.
"""

from __future__ import annotations

from dataclasses import replace

from pipelines.flows.commits import require_head, write
from pipelines.flows.context import Context
from pipelines.model.branch import BranchState, Hold
from pipelines.model.errors import BadInput, Refused


def hold(ctx: Context, release_name: str, *, reason: str) -> str | None:
    """Keep a release out. Returns the commit, None when it is held already."""
    release = ctx.store.get(release_name)
    head = require_head(ctx)
    assert head is not None
    if head.state.is_held(release.id):
        return None
    at = ctx.now().isoformat(timespec="seconds")
    holds = (*head.state.holds, Hold(release.id, _reason(reason), ctx.actor, at))
    return _write(ctx, head.commit, replace(head.state, holds=holds), "hold", release.id, reason)


def unhold(ctx: Context, release_name: str, *, reason: str) -> str | None:
    """Let a release come back. Returns the commit, None when it was not held."""
    head = require_head(ctx)
    assert head is not None
    held = [
        h
        for h in head.state.holds
        if h.release == release_name or h.release.startswith(release_name)
    ]
    if not held:
        release = ctx.store.get(release_name)
        held = [h for h in head.state.holds if h.release == release.id]
    if not held:
        return None
    if len(held) > 1:
        raise Refused(
            f"{release_name} fits several holds: {', '.join(h.release for h in held)}",
            hint="give more of the name",
        )
    holds = tuple(h for h in head.state.holds if h != held[0])
    return _write(
        ctx,
        head.commit,
        replace(head.state, holds=holds),
        "unhold",
        held[0].release,
        _reason(reason),
    )


def _reason(reason: str) -> str:
    if not reason.strip():
        raise BadInput("a hold is set or lifted only with a reason", hint='add: --reason "…"')
    return reason.strip()


def _write(
    ctx: Context, expect: str, state: BranchState, kind: str, release: str, reason: str
) -> str:
    ctx.records.audit.append(
        actor=ctx.actor, action=kind, reason=reason, result="done", details={"release": release}
    )
    state = replace(
        state,
        kind=kind,
        reason=reason,
        actor=ctx.actor,
        at=ctx.now().isoformat(timespec="seconds"),
    )
    return write(
        ctx,
        state,
        expect=expect,
        subject=f"{kind.capitalize()} {release} in {ctx.environment}\n\n{reason}",
    )
