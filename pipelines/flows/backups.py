"""Backup and restore of an environment's database, under the lock and in the audit."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from pipelines.flows.context import Context
from pipelines.model.branch import ActiveRow
from pipelines.model.errors import BadInput, NeedsPerson, Refused, SlipwayError
from pipelines.model.live import BackupInfo
from pipelines.model.slots import Slot

LEASE_SECONDS = 600.0
LATCHED_SECONDS = 20.0


def backup(ctx: Context, reason: str) -> BackupInfo:
    """Take a base backup and verify it. Trading goes on meanwhile."""
    ctx.say("backup", "running", "base backup, then its checksums")
    started = ctx.monotonic()
    info = ctx.target.backup(reason or "asked for by hand")
    ctx.say("backup", "done", info.name, ctx.monotonic() - started)
    ctx.records.audit.append(
        actor=ctx.actor, action="backup", reason=reason, result="verified",
        details={"name": info.name, "bytes": info.bytes},
    )  # fmt: skip
    return info


def choose(ctx: Context, name: str | None) -> BackupInfo:
    """The backup of that name, or the newest. BadInput names what there is."""
    backups: Sequence[BackupInfo] = sorted(ctx.target.list_backups(), key=lambda b: b.taken_at)
    if not backups:
        raise Refused(f"{ctx.environment} has no backup", hint=f"slipway backup {ctx.environment}")
    if name is None:
        return backups[-1]
    for info in backups:
        if info.name == name:
            return info
    known = ", ".join(info.name for info in backups[-5:])
    raise BadInput(f"no backup '{name}' in {ctx.environment}", hint=f"the newest are: {known}")


def restore(ctx: Context, info: BackupInfo, reason: str) -> None:
    """Stop both slots, put the database back, start what the restored row names.

    Takes the lock by force: a restore is an emergency. Orders since the backup are known to the
    venue only; the trader reconciles when it starts. What the application has latched (a kill switch)
    stays so, though the backup may be older. Where the target cannot restore, that is said before
    anything is stopped.
    """
    ctx.target.may_restore(info.name)
    token = ctx.records.lock.preempt(ctx.actor, "restore", lease_seconds=LEASE_SECONDS)
    try:
        before = {slot: ctx.target.observe_slot(slot).release for slot in Slot}
        latched = _latched(ctx)
        _timed(ctx, "stop", info.name, lambda: _stop(ctx))
        try:
            _timed(ctx, "restore", info.name, lambda: ctx.target.restore(info.name))
        finally:  # a restore that failed left the database as it was: it goes on with that
            _timed(ctx, "start", info.name, lambda: _start(ctx, before, latched))
        ctx.records.audit.append(
            actor=ctx.actor, action="restore", reason=reason, result="restored",
            details={"name": info.name, "taken_at": info.taken_at, "latched": latched},
        )  # fmt: skip
    finally:
        ctx.records.lock.release(token)
        ctx.wake()


def _timed(ctx: Context, step: str, detail: str, act: Callable[[], None]) -> None:
    ctx.say(step, "running", detail)
    started = ctx.monotonic()
    try:
        act()
    except SlipwayError as error:
        ctx.say(step, "failed", error.message, ctx.monotonic() - started)
        raise
    ctx.say(step, "done", detail, ctx.monotonic() - started)


def _stop(ctx: Context) -> None:
    for slot in Slot:
        ctx.target.stop_slot(slot, kill=False)


def _latched(ctx: Context) -> Any:
    """What the active release says is latched. None where it cannot say: a database that does not
    answer is a reason to restore it, and no reason not to."""
    row = ctx.target.read_row().row
    if row is None:
        return None
    try:
        return _ask_latched(ctx, row, "show")
    except SlipwayError as error:
        ctx.say("latched", "failed", f"look at it before trading goes on: {error.message}")
        return None


def _keep(ctx: Context, row: ActiveRow, latched: Any) -> None:
    """Latch it again. Raises where that cannot be: then nothing is started."""
    if not latched or not latched.get("latched"):
        return
    kept = _ask_latched(ctx, row, "keep", json.dumps(latched))
    if not kept or not kept.get("latched"):
        raise NeedsPerson(
            f"{row.release} does not latch again what was latched in {ctx.environment}:"
            f" {json.dumps(latched)}",
            hint="nothing was started; look at the database, then: slipway up",
        )


def _ask_latched(ctx: Context, row: ActiveRow, *words: str) -> Any:
    release = ctx.store.get(row.release)
    return ctx.target.application_answer(release, row.slot, "latched", words, LATCHED_SECONDS)


def _start(ctx: Context, before: dict[Slot, str | None], latched: Any) -> None:
    row = ctx.target.read_row().row
    if row is not None:
        _keep(ctx, row, latched)
    for slot in Slot:
        wanted = row.release if row and row.slot is slot else before[slot]
        if wanted is not None:
            ctx.target.stage(slot, ctx.store.get(wanted))
    if row is not None:
        ctx.target.set_traffic(row.slot.other, live=False)
        ctx.target.set_traffic(row.slot, live=True, wait_seconds=10.0)
