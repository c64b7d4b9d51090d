"""`slipway sync`: one look of the controller, done by the command itself under the same lock."""

from __future__ import annotations

from pipelines.flows.context import Context
from pipelines.flows.sync import look

LEASE_SECONDS = 60.0


def sync_now(ctx: Context) -> str:
    """What was done, in words. Raises InProgress when somebody else acts on the environment."""
    token = ctx.records.lock.acquire(ctx.actor, "sync", lease_seconds=LEASE_SECONDS)
    try:
        return look(ctx, token)
    finally:
        ctx.records.lock.release(token)
