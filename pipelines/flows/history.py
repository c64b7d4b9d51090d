"""History of an environment: the commits of its branch beside what the journal says of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.flows import cluster_syncs
from pipelines.flows.context import Context
from pipelines.model.errors import SlipwayError
from pipelines.records.sync_diary import syncs


def history(ctx: Context, limit: int) -> list[dict[str, Any]]:
    """Newest first. With the origin away, what the journal alone knows."""
    operations = {operation.id: operation for operation in ctx.records.journal.history(limit)}
    try:
        commits = ctx.origin.history(ctx.environment, limit)
    except SlipwayError:
        return [_from_journal(operation) for operation in operations.values()]
    lines = []
    for commit in commits:
        state, content = commit.state, commit.state.active_content
        operation = operations.get(state.operation)
        lines.append({
            "at": state.at, "kind": state.kind, "release": content.release if content else None,
            "version": content.version if content else None, "active": str(state.active),
            "actor": state.actor, "reason": state.reason.splitlines()[0] if state.reason else "",
            "result": operation.status if operation else "", "commit": commit.commit,
        })  # fmt: skip
    return lines


def object_syncs(ctx: Context, limit: int, *, after: int = 0) -> list[dict[str, Any]]:
    """Syncs of objects on a cluster, newest first, among the newest `limit` entries of the audit
    with a higher sequence than `after`: actor, options, digest of the manifests, and what became
    of each object. Empty for an environment on this machine."""
    return [
        {
            "sequence": one.sequence, "at": one.at, "actor": one.actor, "reason": one.reason,
            "result": one.result, "options": dict(one.options), **one.details,
        }
        for one in syncs(ctx.records, after=after, limit=limit)
    ]  # fmt: skip


def all_syncs(
    ctx: Context, limit: int, lines: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], str]:
    """Those of the audit and those that a syncer in the cluster wrote down there, newest first; and
    why the latter cannot be read. `lines`: of `history`, which know commits."""
    states, trouble = cluster_syncs.read(ctx)
    found = [*object_syncs(ctx, limit), *_named(cluster_syncs.past(states, limit), lines)]
    return sorted(found, key=lambda one: str(one["at"]), reverse=True)[:limit], trouble


def _named(
    past: list[dict[str, Any]], lines: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """A syncer in the cluster writes which commit it synced; the lines say of which release that is,
    and why."""
    known = {line["commit"]: line for line in lines}
    for one in past:
        line = known.get(one["commit"])
        told = {"release": line["release"] or "", "reason": line["reason"]} if line else {}
        yield {**one, **told}


def newest_entry(ctx: Context) -> int:
    """Sequence of the newest entry of the audit; 0 when there is none."""
    return max((one.sequence for one in ctx.records.audit.entries(1)), default=0)


def _from_journal(operation: Any) -> dict[str, Any]:
    return {
        "at": operation.started_at, "kind": operation.kind, "release": operation.release,
        "version": None, "active": operation.to_slot, "actor": operation.actor,
        "reason": operation.reason, "result": operation.status, "commit": operation.commit,
    }  # fmt: skip
