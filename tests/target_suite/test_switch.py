"""The row: compare-and-set, idempotent, and honest about a database that is away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.model.errors import Refused, StaleToken, Unavailable
from pipelines.model.live import Handover
from pipelines.model.release import Release
from pipelines.model.slots import Slot
from pipelines.targets.protocol import Target
from tests.target_suite.hands import Hands


@pytest.fixture
def request_(target: Target, first: Release) -> Handover:
    """The next valid switch, whatever earlier tests left."""
    row = target.read_row().row
    return Handover(
        slot=row.slot.other if row else Slot.BLUE,
        release=first.id,
        operation=f"op-{row.epoch if row else 0}",
        commit="c" * 40,
        token=row.token + 1 if row else 1,
        expect_epoch=row.epoch if row else 0,
        confirm_by=None,
        published=True,
        reason="a test's reason",
    )


def test_a_switch_moves_the_row_and_remembers_what_was_before(
    target: Target, first: Release, request_: Handover
) -> None:
    before = target.read_row().row
    row = target.handover(first, request_)
    assert (row.slot, row.release, row.epoch) == (
        request_.slot, first.id, request_.expect_epoch + 1,
    )  # fmt: skip
    assert row.previous_slot == (before.slot if before else None)
    assert (row.state, row.confirm_by, row.published) == ("confirmed", None, True)
    assert target.read_row().row == row


def test_the_same_operation_twice_is_one_switch(
    target: Target, first: Release, request_: Handover
) -> None:
    row = target.handover(first, request_)
    assert target.handover(first, request_) == row


def test_another_epoch_than_expected_is_refused(
    target: Target, first: Release, request_: Handover
) -> None:
    target.handover(first, request_)
    late = replace(request_, operation="late", slot=request_.slot.other)
    with pytest.raises(Refused, match="STALE_EPOCH"):
        target.handover(first, late)


def test_an_older_token_is_stale(target: Target, first: Release, request_: Handover) -> None:
    row = target.handover(first, request_)
    old = replace(request_, operation="old", token=row.token - 1, expect_epoch=row.epoch)
    with pytest.raises(StaleToken, match="STALE_TOKEN"):
        target.handover(first, old)
    with pytest.raises(StaleToken):
        target.confirm(row.operation, row.token - 1)


def test_a_provisional_switch_is_confirmed_and_published_by_its_own_operation(
    target: Target, first: Release, request_: Handover
) -> None:
    provisional = replace(request_, confirm_by="2030-01-01T00:00:00+00:00", published=False)
    row = target.handover(first, provisional)
    assert row.provisional
    assert row.confirm_by is not None
    assert not row.published
    with pytest.raises(Refused, match="OTHER_OPERATION"):
        target.confirm("somebody-else", row.token)
    for _ in range(2):  # again: nothing changes
        target.confirm(row.operation, row.token)
        target.mark_published(row.operation, row.token)
    after = target.read_row().row
    assert after is not None
    assert (after.provisional, after.confirm_by, after.published) == (False, None, True)


def test_a_database_that_is_away_is_down_and_not_empty(
    target: Target, hands: Hands, first: Release, request_: Handover
) -> None:
    hands.stop_database()
    reading = target.read_row()
    assert reading.down
    assert reading.detail
    with pytest.raises(Unavailable):
        target.handover(first, request_)
    target.ensure(first)
    assert not target.read_row().down
