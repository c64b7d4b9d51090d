"""What a promotion would change, as a text difference of what `env/<env>` would hold."""

from __future__ import annotations

import difflib

from pipelines.engine.chart_objects import objects, text_difference
from pipelines.flows.context import Context
from pipelines.flows.drift import drift
from pipelines.flows.ports import Manifests
from pipelines.flows.promote import default_release
from pipelines.flows.render import processes_yaml
from pipelines.model.release import ENVIRONMENTS, Release
from pipelines.model.slots import Slot


def difference(ctx: Context, release: str | None) -> tuple[str | None, Release, str]:
    """(active release, candidate, unified difference; empty when nothing would change)."""
    row = ctx.target.read_row().row
    wanted = ctx.store.get(release) if release else _next_to_come(ctx, row.release if row else None)
    if row is None:
        if ctx.manifests is not None:
            return None, wanted, _of_objects(ctx.manifests, None, wanted, Slot.BLUE)
        return None, wanted, processes_yaml(wanted, ctx.environment)
    active = ctx.store.get(row.release)
    if ctx.manifests is not None:
        return active.id, wanted, _of_objects(ctx.manifests, active, wanted, row.slot.other)
    lines = difflib.unified_diff(
        processes_yaml(active, ctx.environment).splitlines(keepends=True),
        processes_yaml(wanted, ctx.environment).splitlines(keepends=True),
        f"{ctx.environment}: active {active.id}", f"{ctx.environment}: candidate {wanted.id}",
    )  # fmt: skip
    return active.id, wanted, "".join(lines)


def changed_by_hand(ctx: Context) -> list[str]:
    """On a cluster: each object that is not as the branch says, with field, manager and since when."""
    if ctx.manifests is None:
        return []
    return [item.change for item in drift(ctx, ctx.target.read_row().row)]


def _of_objects(manifests: Manifests, active: Release | None, wanted: Release, slot: Slot) -> str:
    """Object by object, both as if they came to the slot that the promotion would fill: names and
    labels of the slot are no difference then."""
    before = objects(manifests.candidate(active, slot)) if active else []
    names = (f"active {active.id}" if active else "", f"candidate {wanted.id}")
    return text_difference(before, objects(manifests.candidate(wanted, slot)), names)


def _next_to_come(ctx: Context, active: str | None) -> Release:
    """What a promotion takes; when that is active already, the nearest change still on its way:
    active in an earlier environment, or the newest build."""
    wanted = default_release(ctx)
    index = ENVIRONMENTS.index(ctx.environment)
    for before in reversed(ENVIRONMENTS[:index]):
        if wanted.id != active:
            return wanted
        wanted = default_release(ctx.sibling(before))
    return wanted
