"""What a promotion would change, as a text difference of the files of `env/<env>`."""

from __future__ import annotations

import difflib

from pipelines.flows.context import Context
from pipelines.flows.render import processes_yaml
from pipelines.model.errors import Refused
from pipelines.model.release import Release


def candidate(ctx: Context, release: str | None) -> Release:
    """The release named, or the one `slipway promote` would take by itself."""
    if release:
        return ctx.store.get(release)
    before = {"staging": "dev", "production": "staging"}.get(ctx.environment)
    if before is None:
        newest = ctx.store.newest()
        if newest is None:
            raise Refused("no release was built yet", hint="slipway build")
        return newest
    row = ctx.sibling(before).target.read_row().row
    if row is None:
        raise Refused(f"nothing is active in {before}", hint=f"slipway promote {before}")
    return ctx.store.get(row.release)


def difference(ctx: Context, release: str | None) -> tuple[str | None, Release, str]:
    """(active release, candidate, unified difference; empty when nothing would change)."""
    wanted = candidate(ctx, release)
    row = ctx.target.read_row().row
    if row is None:
        return None, wanted, processes_yaml(wanted, ctx.environment)
    active = ctx.store.get(row.release)
    lines = difflib.unified_diff(
        processes_yaml(active, ctx.environment).splitlines(keepends=True),
        processes_yaml(wanted, ctx.environment).splitlines(keepends=True),
        f"{ctx.environment}: active {active.id}", f"{ctx.environment}: candidate {wanted.id}",
    )  # fmt: skip
    return active.id, wanted, "".join(lines)
