"""Following an operation in the journal; when no controller lives, the command becomes it."""

from __future__ import annotations

from pipelines.flows.context import Context
from pipelines.flows.locks import token_floor
from pipelines.flows.sync import look
from pipelines.model.errors import InProgress, NeedsPerson, Refused, StaleToken, Undone
from pipelines.records.protocols import Operation

# A whole release: every step's limit plus a soak; past that something is stuck and a person looks.
FOLLOW_SECONDS = 900.0


def follow(ctx: Context, asked: Operation) -> Operation:
    """Wait until the operation is closed. Raises Undone, Refused or NeedsPerson by how it ended."""
    shown: dict[str, str] = {}
    deadline = ctx.monotonic() + FOLLOW_SECONDS + ctx.settings().soak_seconds
    while ctx.monotonic() < deadline:
        operation = ctx.records.journal.get(asked.id)
        if operation is not None:
            _show(ctx, operation, shown)
            if operation.status != "running":
                return _ended(ctx, operation)
        if not ctx.wake() if operation is None else not _somebody_acts(ctx):
            _become_actor(ctx)
        ctx.sleep(0.1)
    raise NeedsPerson(
        f"operation {asked.id} did not end in {FOLLOW_SECONDS:g} s",
        hint=f"look at: slipway status, slipway logs {ctx.environment} --process controller",
    )


def _somebody_acts(ctx: Context) -> bool:
    status = ctx.records.lock.status()
    return status is not None and status.alive


def _become_actor(ctx: Context) -> None:
    try:
        token = ctx.records.lock.acquire(
            ctx.actor,
            "acting for want of a controller",
            lease_seconds=60.0,
            at_least=token_floor(ctx),
        )
    except InProgress:
        return
    try:
        look(ctx, token)
    except StaleToken as error:
        ctx.say("lock", "waiting", error.message)
    finally:
        ctx.records.lock.release(token)


def _show(ctx: Context, operation: Operation, shown: dict[str, str]) -> None:
    for step in operation.steps:
        if step.status != "pending" and shown.get(step.name) != step.status:
            shown[step.name] = step.status
            ctx.say(step.name, step.status, step.detail, step.seconds)


def _ended(ctx: Context, operation: Operation) -> Operation:
    if operation.status == "undone":
        message, _, hint = operation.message.partition("\n  ")
        raise Undone(message, hint=hint)
    if operation.status == "refused":
        raise Refused(operation.message)
    if operation.status == "preempted":
        raise Undone(
            f"{operation.id} was overtaken: {operation.message}",
            hint=f"see: slipway history {ctx.environment}",
        )
    if operation.status == "failed":
        message, _, hint = operation.message.partition("\n  ")
        raise NeedsPerson(message, hint=hint)
    return operation
