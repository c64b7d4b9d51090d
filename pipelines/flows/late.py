"""Nobody confirmed a switch in time: the analysis died, so its answer is no."""

from __future__ import annotations

from pipelines.flows.context import Context
from pipelines.model.branch import ActiveRow
from pipelines.model.live import Handover
from pipelines.model.release import Release

NO_WAY_BACK = "confirmed late: there is no older release to go back to"


def row_back(ctx: Context, row: ActiveRow, token: int) -> Release | None:
    """The row names the slot and release before again, unpublished. None where there is none: then
    what is active is confirmed late."""
    if row.previous_slot is None or row.previous_release is None:
        ctx.target.confirm(row.operation, token)
        return None
    old = ctx.store.get(row.previous_release)
    ctx.target.handover(
        old,
        Handover(
            slot=row.previous_slot,
            release=old.id,
            operation=f"{row.operation}-late",
            commit=row.commit,
            token=token,
            expect_epoch=row.epoch,
            confirm_by=None,
            published=False,
            reason="not confirmed in time",
        ),
    )
    return old
