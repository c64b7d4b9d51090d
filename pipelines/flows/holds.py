"""Hold and unhold: machine commits that change only the list of holds.

The operation named on the branch stays: it is the one that asked for what is active.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipelines.flows.commits import require_head, write
from pipelines.flows.context import Context
from pipelines.flows.held import git_knows
from pipelines.model.branch import BranchState, Hold
from pipelines.model.errors import BadInput, Refused
from pipelines.model.release import SHORTEST_NAME


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
    held = _hold_named(ctx, head.state.holds, release_name)
    git_knows(ctx, held.release if held else ctx.store.get(release_name).id)
    if held is None:
        return None
    holds = tuple(h for h in head.state.holds if h != held)
    state = replace(head.state, holds=holds)
    return _write(ctx, head.commit, state, "unhold", held.release, _reason(reason))


def _hold_named(ctx: Context, holds: Sequence[Hold], name: str) -> Hold | None:
    """As the store names releases, and also of one that has left it. Raises BadInput, Refused."""
    found = [h for h in holds if h.release == name]
    if not found and len(name.removeprefix("r-")) >= SHORTEST_NAME:
        found = [h for h in holds if h.release.startswith(name)]
    if not found:
        release = ctx.store.get(name)
        found = [h for h in holds if h.release == release.id]
    if len(found) > 1:
        raise Refused(
            f"{name} fits several holds: {', '.join(h.release for h in found)}",
            hint="give more of the name",
        )
    return found[0] if found else None


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
