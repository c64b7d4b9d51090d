"""What `slipway status` tells: git, row and live of an environment in one object."""

from __future__ import annotations

from typing import Any

from pipelines.engine.decide import Verb, decide
from pipelines.flows import cluster_syncs
from pipelines.flows.alarm import ALARM
from pipelines.flows.commits import read_branch
from pipelines.flows.context import Context
from pipelines.flows.drift import last_heals
from pipelines.flows.slots import CLOSED
from pipelines.flows.versions import TROUBLE
from pipelines.model.branch import ActiveRow, BranchReading
from pipelines.model.live import Health, LiveState, SlotLive
from pipelines.model.slots import Slot


def environment_status(ctx: Context) -> dict[str, Any]:
    """One element of `environments` in `slipway status --output json`."""
    live, reading = ctx.target.observe(), ctx.target.read_row()
    branch, row = read_branch(ctx), reading.row
    decision = decide(branch, reading, ctx.now())
    active = row.slot if row else ctx.target.traffic()
    idle = active.other if active else Slot.BLUE
    running = ctx.records.journal.running()
    alarm = ctx.records.journal.fact(ALARM)
    landing = ctx.records.journal.fact(TROUBLE)
    lock = ctx.records.lock.status()
    states, _ = cluster_syncs.read(ctx)
    return {
        "name": ctx.environment,
        "url": ctx.target.live_url(),
        "preview_url": ctx.target.slot_url(idle),
        "active": str(active) if active else None,
        "release": row.release if row else None,
        "health": _health(live, active),
        "sync": _sync(decision.verb, running is not None) if branch.head else "Unknown",
        "way_back": _way_back(ctx, live, idle),
        "held": _held(branch),
        "slots": {str(slot): _slot(live.slots[slot]) for slot in Slot},
        "confirmed": bool(row and not row.provisional),
        "operation": {"id": running.id, "kind": running.kind, "actor": running.actor}
        if running
        else None,
        "frozen": _frozen(ctx),
        "alarm": alarm["reason"] if alarm else None,
        "landing": f"{landing['version']}: {landing['reason']}" if landing else None,
        "healed": last_heals(ctx, states),
        "syncs": cluster_syncs.now(states),
        "controller": bool(lock and lock.alive) or ctx.wake(),
        "version": _version(ctx, row),
    }


def _sync(verb: Verb, running: bool) -> str:
    if running or verb in (Verb.FORWARD, Verb.RESUME, Verb.PUBLISH, Verb.SWITCH_BACK):
        return "OutOfSync"
    return "Synced" if verb is Verb.NOTHING else "Unknown"


def _health(live: LiveState, active: Slot | None) -> str:
    order = list(Health)
    parts = [live.database, live.supervisor, *live.services.values()]
    parts.append(live.slots[active].health if active else Health.MISSING)
    return str(max(parts, key=order.index))


def _slot(live: SlotLive) -> dict[str, Any]:
    state = (
        "empty"
        if live.release is None
        else ("warm" if live.health is Health.HEALTHY else str(live.health))
    )
    return {"release": live.release, "state": state}


def _way_back(ctx: Context, live: LiveState, idle: Slot) -> str | None:
    release = live.slots[idle].release
    if release is None:
        return None
    if release in (ctx.records.journal.fact(CLOSED) or []):
        return f"{release} closed by a contract migration"
    return f"{release} {'warm' if live.slots[idle].health is Health.HEALTHY else 'cold'}"


def _held(branch: BranchReading) -> list[dict[str, str]]:
    if branch.head is None:
        return []
    return [
        {"release": h.release, "reason": h.reason, "actor": h.actor, "at": h.at}
        for h in branch.head.state.holds
    ]


def _frozen(ctx: Context) -> dict[str, str] | None:
    frozen = ctx.records.freeze.state()
    return {"actor": frozen[0], "reason": frozen[1], "at": frozen[2]} if frozen else None


def _version(ctx: Context, row: ActiveRow | None) -> str | None:
    known = [r.version for r in ctx.store.all() if row and r.id == row.release]
    return known[0] if known else None
