"""History of an environment: the commits of its branch beside what the journal says of each."""

from __future__ import annotations

from typing import Any

from pipelines.flows.context import Context
from pipelines.model.errors import SlipwayError


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


def _from_journal(operation: Any) -> dict[str, Any]:
    return {
        "at": operation.started_at, "kind": operation.kind, "release": operation.release,
        "version": None, "active": operation.to_slot, "actor": operation.actor,
        "reason": operation.reason, "result": operation.status, "commit": operation.commit,
    }  # fmt: skip
