"""A freeze refuses promotions; it never stops a rollback. Needs neither git nor the database.

The audit comes first: a crash in between has it said twice, and never not at all.
"""

from __future__ import annotations

from pipelines.flows.context import Context


def freeze(ctx: Context, reason: str) -> bool:
    """False when the environment is frozen already: the first reason stays."""
    if ctx.records.freeze.state() is not None:
        return False
    ctx.records.audit.append(actor=ctx.actor, action="freeze", reason=reason, result="frozen")
    ctx.records.freeze.freeze(ctx.actor, reason)
    return True


def thaw(ctx: Context, reason: str) -> bool:
    """False when nothing was frozen."""
    if ctx.records.freeze.state() is None:
        return False
    ctx.records.audit.append(actor=ctx.actor, action="thaw", reason=reason, result="thawed")
    ctx.records.freeze.thaw(ctx.actor, reason)
    return True
