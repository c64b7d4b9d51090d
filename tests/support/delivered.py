"""What the branch of dev and the row of its database say of a promotion, for tests to change a part of."""

from __future__ import annotations

from datetime import UTC, datetime

from pipelines.model.branch import ActiveRow, BranchState
from pipelines.model.slots import Slot, SlotContent

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def branch(active: Slot, *, blue: str, green: str | None) -> BranchState:
    """By `promotion-1`; each slot has the release named, or nothing."""
    return BranchState(
        environment="dev",
        active=active,
        slots={
            Slot.BLUE: SlotContent(blue, "1", "c"),
            Slot.GREEN: SlotContent(green, "2", "c") if green else None,
        },
        holds=(),
        kind="promotion",
        reason="",
        actor="Ada",
        operation="promotion-1",
        at="",
        audit_head="",
    )


def confirmed(slot: Slot, release: str, *, before: str, operation: str, epoch: int) -> ActiveRow:
    """A row that git knows of. `before`: what the other slot had when it was active."""
    return ActiveRow(
        slot=slot, release=release, epoch=epoch, operation=operation, commit="c",
        state="confirmed", confirm_by=None, token=12, previous_slot=slot.other,
        previous_release=before, published=True, reason="", changed_at=AT,
    )  # fmt: skip
