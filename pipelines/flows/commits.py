"""Making machine commits on `env/<env>`: the one place that writes what runs."""

from __future__ import annotations

import uuid
from dataclasses import replace

from pipelines.flows.context import Context
from pipelines.flows.render import render_files
from pipelines.model.branch import BranchHead, BranchReading, BranchState
from pipelines.model.errors import NeedsPerson, Refused, Unavailable
from pipelines.model.release import Release

KNOWN = "known_commit"
DESIRED = "desired_slots"
HELD = "held_releases"


def new_operation_id(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:12]}"


def read_branch(ctx: Context) -> BranchReading:
    """Head of the branch against the last commit the journal knows; remembers a good one."""
    known = ctx.records.journal.fact(KNOWN)
    reading = ctx.origin.read(ctx.environment, known)
    if reading.head is not None and reading.head.commit != known:
        remember(ctx, reading.head.commit, reading.head.state)
    return reading


def require_head(ctx: Context, *, may_be_absent: bool = False) -> BranchHead | None:
    """The head, or an error that says which trouble the branch is in."""
    reading = read_branch(ctx)
    if reading.head is not None:
        return reading.head
    if reading.trouble == "absent" and may_be_absent:
        return None
    if reading.trouble == "unreachable":
        raise Unavailable(
            f"the origin does not answer: {reading.detail}",
            hint="rollback works without it: slipway rollback " + ctx.environment + " --reason …",
        )
    raise NeedsPerson(
        f"branch env/{ctx.environment} is {reading.trouble}: {reading.detail}",
        hint="look at it, then: slipway doctor --repair",
    )


def remember(ctx: Context, commit: str, state: BranchState) -> None:
    """Keep what is needed for a time without git."""
    journal = ctx.records.journal
    journal.set_fact(
        DESIRED,
        {
            slot.value: (content.release if content else None)
            for slot, content in state.slots.items()
        },
    )
    journal.set_fact(HELD, [hold.release for hold in state.holds])
    journal.set_fact(KNOWN, commit)


def write(ctx: Context, state: BranchState, *, expect: str | None, subject: str) -> str:
    """One commit; the audit head goes into the tree and into a trailer."""
    state = replace(state, audit_head=ctx.records.audit.head())

    def get(release: str) -> Release:
        try:
            return ctx.store.get(release)
        except Refused as error:
            raise NeedsPerson(
                f"release {release} of env/{ctx.environment} is not in the store any more",
                hint="build it again from its commit: slipway build",
            ) from error

    filled = [content.release for content in state.slots.values() if content is not None]
    releases = {release: get(release) for release in filled}
    commit = ctx.origin.commit(
        ctx.environment,
        state,
        render_files(state, releases, ctx.manifests),
        expect=expect,
        subject=subject,
        trailers={
            "Slipway-Operation": state.operation,
            "Slipway-Actor": state.actor,
            "Slipway-Audit-Head": state.audit_head,
        },
    )
    remember(ctx, commit, state)
    return commit
