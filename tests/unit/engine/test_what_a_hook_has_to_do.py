"""Whether a hook goes, goes on, does nothing or refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.admission import Way, admit, under_way
from pipelines.model import hook
from pipelines.model.branch import ActiveRow
from pipelines.model.hook import HookRecord
from pipelines.model.slots import Slot, SlotContent
from tests.support import delivered

AT = delivered.AT
STATE = delivered.branch(Slot.GREEN, blue="r-old", green="r-new")
OLD = delivered.confirmed(Slot.BLUE, "r-old", before="r-older", operation="promotion-0", epoch=7)
NEW = delivered.confirmed(Slot.GREEN, "r-new", before="r-old", operation="promotion-1", epoch=8)


def record(step: str, status: str, operation: str = "promotion-1") -> HookRecord:
    return HookRecord(operation, step, "promotion-1", "r-new", "green", status, "why", "")


def test_a_new_release_goes_under_the_operation_that_the_branch_names() -> None:
    found = admit(STATE, OLD, [], ran=False)
    assert (found.way, found.operation, found.former) == (Way.GO, "promotion-1", "r-old")


def test_the_first_release_has_none_before_it() -> None:
    found = admit(STATE, None, [], ran=False)
    assert (found.way, found.former) == (Way.GO, None)


def test_what_is_active_already_is_not_switched_again_whatever_the_branch_says_else() -> None:
    other = replace(STATE, operation="promotion-9", kind="hold")
    for state in (STATE, other):
        found = admit(state, NEW, [record("switch", hook.FAILED)], ran=True)
        assert (found.way, found.operation) == (Way.ALREADY, "promotion-1")


def test_a_switch_that_nobody_confirmed_goes_on_under_its_own_operation() -> None:
    row = replace(NEW, state="provisional", confirm_by=AT)
    found = admit(STATE, row, [record("switch", hook.RUNNING)], ran=True)
    assert (found.way, found.operation, found.former) == (Way.GO_ON, "promotion-1", "r-old")


@pytest.mark.parametrize("status", [hook.FAILED, hook.STOPPED])
@pytest.mark.parametrize("step", ["backup", "migrate", "verify", "switch"])
def test_an_operation_that_failed_or_was_stopped_is_not_tried_again(step: str, status: str) -> None:
    records = [record("guard", hook.SUCCEEDED), record(step, status)]
    found = admit(STATE, OLD, records, ran=False)
    assert found.way is Way.REFUSED
    assert f"at {step}: why" in found.words
    assert "slipway promote dev" in found.words


def test_a_refusal_of_the_guard_may_be_over_when_it_is_asked_again() -> None:
    assert admit(STATE, OLD, [record("guard", hook.REFUSED)], ran=False).way is Way.GO


def test_a_release_that_somebody_went_back_from_stays_out_until_git_has_heard_of_it() -> None:
    back = replace(
        OLD,
        epoch=9,
        operation="rollback-1",
        previous_release="r-new",
        published=False,
        reason="bad",
    )
    found = admit(STATE, back, [], ran=True)
    assert found.way is Way.REFUSED
    assert "went back from r-new to r-old (bad)" in found.words
    third = replace(STATE, slots={**STATE.slots, Slot.GREEN: SlotContent("r-third", "3", "c")})
    assert admit(third, back, [], ran=False).way is Way.GO


def test_a_revert_to_what_ran_before_is_a_switch_of_its_own() -> None:
    later = replace(OLD, epoch=9, operation="promotion-2", release="r-newer")
    good = [record(step, hook.SUCCEEDED) for step in hook.STEPS]
    found = admit(STATE, later, good, ran=True)
    assert (found.way, found.operation, found.former) == (Way.GO, "promotion-1-9", "r-newer")
    failed = [*good, record("switch", hook.FAILED, "promotion-1-9")]
    assert admit(STATE, replace(later, epoch=11), failed, ran=True).way is Way.REFUSED


@given(
    st.sampled_from([None, OLD, NEW, replace(NEW, state="provisional")]),
    st.lists(
        st.builds(
            record,
            st.sampled_from(hook.STEPS),
            st.sampled_from([hook.RUNNING, hook.SUCCEEDED, hook.SKIPPED, hook.FAILED]),
            st.sampled_from(["promotion-1", "promotion-1-7"]),
        )
    ),
    st.booleans(),
)
def test_only_what_is_not_active_yet_may_go(
    row: ActiveRow | None, records: list[HookRecord], ran: bool
) -> None:
    found = admit(STATE, row, records, ran=ran)
    active = row is not None and row.release == "r-new"
    assert (found.way in (Way.ALREADY, Way.GO_ON)) == active
    assert admit(STATE, row, records, ran=ran) == found
    if found.way is Way.GO and row is not None:
        assert found.operation != row.operation


@pytest.mark.parametrize(
    ("step", "status", "expected"),
    [
        ("guard", hook.SUCCEEDED, True),
        ("verify", hook.RUNNING, True),
        ("verify", hook.SUCCEEDED, True),
        ("verify", hook.FAILED, False),
        ("guard", hook.REFUSED, False),
        ("switch", hook.RUNNING, True),
        ("switch", hook.SUCCEEDED, False),
        ("switch", hook.STOPPED, False),
    ],
)
def test_hooks_are_under_way_until_they_switched_or_said_no(
    step: str, status: str, expected: bool
) -> None:
    assert under_way(record(step, status), OLD) is expected
    assert not under_way(record(step, status), NEW)
    assert not under_way(None, OLD)
