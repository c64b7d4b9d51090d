"""Removing releases that no way back leads to: `slipway build` does it after each build."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipelines.engine.retention import expendable, window_start
from pipelines.flows.context import Context
from pipelines.model.errors import SlipwayError

_HISTORY = 1000


def prune(contexts: Sequence[Context], *, built: str) -> list[str]:
    """Ids of the releases removed. `contexts`: every environment of the installation; `built`: the
    release that somebody has just asked for.

    Nothing is removed while an environment cannot say what it needs.
    """
    store, now = contexts[0].store, contexts[0].now()
    try:
        since = window_start(now, [ctx.settings().rollback_window_hours for ctx in contexts])
        named = {built} | {name for ctx in contexts for name in _named(ctx)}
        used = {name for ctx in contexts for name in _used(ctx, since)}
    except SlipwayError:
        return []
    releases = store.all()
    gone = expendable(releases, named=named, used_since=since, used=used)
    if gone:
        kept = [release.id for release in releases if release.id not in gone]
        store.prune(kept)
        for ctx in contexts:
            if ctx.manifests is not None:
                ctx.manifests.forget(kept)
            ctx.records.audit.append(
                actor=ctx.actor, action="prune", result="done", details={"releases": gone}
            )
    return gone


def _named(ctx: Context) -> set[str]:
    reading = ctx.target.read_row()
    if reading.down:
        raise SlipwayError(f"the database of {ctx.environment} does not answer: {reading.detail}")
    row = reading.row
    in_row = {row.release, row.previous_release or ""} if row else set()
    return in_row | ctx.target.pinned_releases()


def _used(ctx: Context, since: datetime) -> set[str]:
    """Of every operation in the window, and of the one before it: that release was left in it."""
    operations = sorted(ctx.records.journal.history(_HISTORY), key=lambda one: one.started_at)
    late = [n for n, one in enumerate(operations) if datetime.fromisoformat(one.started_at) > since]
    first = max(0, late[0] - 1) if late else len(operations)
    return {operation.release for operation in operations[first:]}
