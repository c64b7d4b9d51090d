"""Slots as the branch names them: restaging the idle one, making sure the old one can take over."""

from __future__ import annotations

from pipelines.engine import charts
from pipelines.flows.commits import DESIRED, read_branch
from pipelines.flows.context import Context
from pipelines.model.branch import ActiveRow
from pipelines.model.errors import Refused, Unavailable
from pipelines.model.live import Health, SlotLive
from pipelines.model.release import Release
from pipelines.model.slots import Slot, SlotContent

CLOSED = "closed_releases"


def desired_slots(ctx: Context, row: ActiveRow | None) -> dict[Slot, str | None]:
    """Release per slot: the active one by the row, the idle one by git (or git's last known word)."""
    head = read_branch(ctx).head
    if head is not None:
        slots: dict[Slot, str | None] = {
            slot: (content.release if content else None)
            for slot, content in head.state.slots.items()
        }
    else:
        known = ctx.records.journal.fact(DESIRED) or {}
        slots = {slot: known.get(slot.value) for slot in Slot}
    if row is not None:
        slots[row.slot] = row.release
    closed = ctx.records.journal.fact(CLOSED) or []
    return {slot: (None if release in closed else release) for slot, release in slots.items()}


def require_slots(ctx: Context, content: SlotContent | None) -> None:
    """Raises BadInput when what shall be active on a cluster has no slots. What is not built here
    is for others to say."""
    if ctx.manifests is None or content is None:
        return
    try:
        release = ctx.store.get(content.release)
    except Refused:
        return
    charts.require_slots(release, ctx.environment)


def restage(ctx: Context, row: ActiveRow | None) -> None:
    """Make the idle slot what the branch says: the former occupant, or empty."""
    if row is None:
        for slot in Slot:
            ctx.target.stop_slot(slot, kill=True, forget=True)
        return
    fill(ctx, row.slot.other, desired_slots(ctx, row).get(row.slot.other))


def fill(ctx: Context, slot: Slot, release_id: str | None) -> None:
    """Stage a release in a slot, or empty the slot when there is none to stage."""
    if release_id is None:
        ctx.target.stop_slot(slot, kill=True, forget=True)
        return
    try:
        release = ctx.store.get(release_id)
    except Refused:
        ctx.target.stop_slot(slot, kill=True, forget=True)
        return
    ctx.target.stage(slot, release)


def ready(live: SlotLive, release: Release) -> bool:
    return live.release == release.id and sum(
        1 for p in live.processes if p.health is Health.HEALTHY or p.ready
    ) >= len(release.application.processes)


def bring_back(ctx: Context, slot: Slot, release: Release, *, limit_seconds: float = 20.0) -> None:
    """The old slot must answer before traffic goes to it; a warm one costs one look."""
    if _answers(ctx.target.observe_slot(slot), release):
        return
    ctx.say("stage", "running", f"{release.id} is not warm in {slot}; starting it")
    ctx.target.stage(slot, release)
    deadline = ctx.monotonic() + limit_seconds
    while not _answers(ctx.target.observe_slot(slot), release):
        if ctx.monotonic() > deadline:
            raise Unavailable(
                f"{release.id} in {slot} of {ctx.environment} did not start in {limit_seconds:g} s",
                hint=f"look at: slipway logs {ctx.environment} --slot {slot}",
            )
        ctx.sleep(0.1)


def _answers(live: SlotLive, release: Release) -> bool:
    """Alive is enough for a way back: readiness may depend on what is broken."""
    running = [p for p in live.processes if p.pid is not None and p.release == release.id]
    return live.release == release.id and len(running) >= len(release.application.processes)
