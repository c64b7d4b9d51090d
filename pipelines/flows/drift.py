"""Drift: where live differs from row and branch, in words, and healing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipelines.flows import cluster_syncs
from pipelines.flows.context import Context
from pipelines.flows.slots import desired_slots, fill
from pipelines.model.branch import ActiveRow
from pipelines.model.errors import Refused, SlipwayError
from pipelines.model.live import Health, LiveState, SlotLive
from pipelines.model.plan import PlanItem
from pipelines.model.slots import Slot
from pipelines.model.sync_state import SyncState

_HEALED = "healed"
_TELL_AGAIN_SECONDS = 60.0
_REMEMBERED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Repair:
    """One difference and what mends it."""

    item: PlanItem
    mend: Callable[[], object]
    details: Mapping[str, Any] = field(default_factory=dict)


def drift(ctx: Context, row: ActiveRow | None) -> list[PlanItem]:
    return [repair.item for repair in repairs(ctx, row)]


def heal(ctx: Context, row: ActiveRow | None, token: int) -> list[str]:
    """Mend every difference; what was mended is audited and returned in words."""
    return _mend(ctx, repairs(ctx, row), token)


def heal_traffic(ctx: Context, token: int) -> list[str]:
    """Where new connections go follows the row, also when the hand-over that wrote it was cut off and
    nobody led them there. To be done before git hears of the row: what it names stays, the rest goes."""
    selected = ctx.target.traffic()
    row = ctx.target.read_row().row  # after it: a switch that is under way moves the row first
    if row is None or row.provisional:
        return []
    return _mend(ctx, _led_elsewhere(ctx, row, selected), token)


def _mend(ctx: Context, found: Sequence[Repair], token: int) -> list[str]:
    done: list[str] = []
    for repair in found:
        ctx.records.lock.check(token)
        ctx.say("heal", "running", repair.item.change)
        try:
            repair.mend()
        except SlipwayError as error:
            done.append(f"could not mend: {repair.item.change}: {error.message}")
            continue
        done.append(f"mended: {repair.item.change}")
        _tell(ctx, repair.item, repair.details)
    return done


def _tell(ctx: Context, item: PlanItem, details: Mapping[str, Any]) -> None:
    """Into the audit; what is mended again and again (a process that dies at start) once a minute."""
    now = ctx.now().timestamp()
    told: dict[str, float] = ctx.records.journal.fact(_HEALED) or {}
    recent = {words: at for words, at in told.items() if now - _TELL_AGAIN_SECONDS < at <= now}
    if item.change in recent:
        return
    ctx.records.journal.set_fact(_HEALED, recent | {item.change: now})
    ctx.records.audit.append(
        actor="slipway",
        action="heal",
        result="done",
        details={"drift": item.change, "slot": item.action, **details},
    )


def last_heals(ctx: Context, states: Sequence[SyncState] = ()) -> list[dict[str, Any]]:
    """What was mended last, newest first, for an hour; the audit has all that ever was. `states`: what
    a syncer in the cluster wrote down; it also tells of what it could not heal."""
    told: dict[str, float] = ctx.records.journal.fact(_HEALED) or {}
    since = ctx.now().timestamp() - _REMEMBERED_SECONDS
    recent = [
        {
            "at": datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"),
            "drift": words,
            "healed": True,
        }
        for words, at in told.items()
        if at > since
    ]
    found = [*recent, *cluster_syncs.heals(states, since)]
    return sorted(found, key=lambda one: str(one["at"]), reverse=True)


def repairs(ctx: Context, row: ActiveRow | None) -> list[Repair]:
    live = ctx.target.observe()
    found = _infrastructure(ctx, live)
    if row is None:
        return found
    wanted = desired_slots(ctx, row)
    for slot in (row.slot, row.slot.other):
        found += _slot(ctx, live.slots[slot], wanted.get(slot))
        # A release that was just left stays stopped until git has heard of it.
        if slot is row.slot or row.published:
            found += _stopped(ctx, live.slots[slot], wanted.get(slot))
        if live.slots[slot].release == wanted.get(slot):
            found += [
                Repair(PlanItem("heal", m.words), m.act, m.details)
                for m in ctx.target.slot_drift(slot)
            ]
    return found + _led_elsewhere(ctx, row, ctx.target.traffic())


def _led_elsewhere(ctx: Context, row: ActiveRow, selected: Slot | None) -> list[Repair]:
    if selected is row.slot:
        return []
    item = PlanItem("traffic", f"traffic goes to {selected}, the row says {row.slot}")
    return [Repair(item, lambda: _traffic(ctx, row.slot))]


def _traffic(ctx: Context, slot: Slot) -> None:
    ctx.target.set_traffic(slot, live=True, wait_seconds=2.0)
    ctx.target.set_traffic(slot.other, live=False)


def _infrastructure(ctx: Context, live: LiveState) -> list[Repair]:
    parts = {"database": live.database, "supervisor": live.supervisor, **live.services}
    broken = [name for name, health in parts.items() if health is not Health.HEALTHY]
    newest = ctx.store.newest()
    if not broken or newest is None:
        return []
    item = PlanItem("services", f"{', '.join(broken)} of {ctx.environment} not running")
    return [Repair(item, lambda: ctx.target.ensure(newest))]


def _slot(ctx: Context, live: SlotLive, wanted: str | None) -> list[Repair]:
    slot = live.slot
    if live.release != wanted:
        item = PlanItem(
            "slot",
            f"{slot} holds {live.release or 'nothing'}, the branch says {wanted or 'nothing'}",
        )
        return [Repair(item, lambda: fill(ctx, slot, wanted))]
    if wanted is None:
        return []
    try:
        artifact = ctx.store.get(wanted).artifact
    except Refused:
        return []
    strangers = [
        p.name
        for p in live.processes
        if p.pid is not None and p.artifact and (p.release, p.artifact) != (wanted, artifact)
    ]
    if strangers:
        item = PlanItem("slot", f"{', '.join(strangers)} in {slot} run other code than {wanted}")
        return [Repair(item, lambda: _restart(ctx, slot, wanted))]
    return []


def _stopped(ctx: Context, live: SlotLive, wanted: str | None) -> list[Repair]:
    slot = live.slot
    if live.health is not Health.SUSPENDED or wanted is None or live.release != wanted:
        return []
    item = PlanItem("slot", f"{slot} is stopped, the branch says it runs {wanted}")
    return [Repair(item, lambda: fill(ctx, slot, wanted))]


def _restart(ctx: Context, slot: Slot, wanted: str) -> None:
    ctx.target.stop_slot(slot, kill=True, forget=True)
    fill(ctx, slot, wanted)
