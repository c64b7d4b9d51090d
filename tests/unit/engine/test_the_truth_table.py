"""Every row of the truth table, and that nothing outside it ever moves live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.decide import Verb, decide
from pipelines.model.branch import ActiveRow, BranchHead, BranchReading, BranchState, RowReading
from pipelines.model.slots import Slot, SlotContent

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def head(slot: Slot = Slot.GREEN, release: str | None = "r-new") -> BranchReading:
    content = SlotContent(release, "2", "c" * 40) if release else None
    state = BranchState(
        "dev",
        slot,
        {slot: content, slot.other: None},
        (),
        "promotion",
        "",
        "ann",
        "promotion-1",
        "",
        "",
    )
    return BranchReading(BranchHead("a" * 40, None, state))


def row(
    slot: Slot = Slot.BLUE,
    release: str = "r-old",
    *,
    confirm_in: float | None = None,
    published: bool = True,
) -> RowReading:
    state = "confirmed" if confirm_in is None else "provisional"
    confirm_by = None if confirm_in is None else NOW + timedelta(seconds=confirm_in)
    return RowReading(
        ActiveRow(
            slot, release, 3, "promotion-0", "b" * 40, state, confirm_by, 7,
            slot.other, "r-new", published, "", NOW,
        )
    )  # fmt: skip


CASES = [
    pytest.param(head(Slot.BLUE, "r-old"), row(), Verb.NOTHING, id="equal and confirmed"),
    pytest.param(head(Slot.BLUE, "r-old"), row(confirm_in=9), Verb.RESUME, id="equal in soak"),
    pytest.param(head(), row(), Verb.FORWARD, id="git is newer"),
    pytest.param(head(), RowReading(), Verb.FORWARD, id="first release"),
    pytest.param(head(release=None), RowReading(), Verb.NOTHING, id="branch names nothing"),
    pytest.param(head(), row(published=False), Verb.PUBLISH, id="unpublished rollback"),
    pytest.param(head(), row(confirm_in=-1), Verb.SWITCH_BACK, id="past confirm_by"),
    pytest.param(BranchReading(trouble="unreachable"), row(), Verb.NOTHING, id="origin away"),
    pytest.param(BranchReading(trouble="rewritten"), row(), Verb.ALARM, id="git rewritten"),
    pytest.param(BranchReading(trouble="deleted"), row(), Verb.ALARM, id="git deleted"),
    pytest.param(BranchReading(trouble="foreign"), row(), Verb.ALARM, id="foreign commit"),
    pytest.param(head(), RowReading(down=True), Verb.WAIT, id="database away"),
]


@pytest.mark.parametrize(("branch", "reading", "verb"), CASES)
def test_each_situation_has_one_answer(
    branch: BranchReading, reading: RowReading, verb: Verb
) -> None:
    assert decide(branch, reading, NOW).verb is verb


branches = st.one_of(
    st.builds(head, st.sampled_from(Slot), st.sampled_from(["r-old", "r-new", None])),
    st.sampled_from(["unreachable", "absent", "deleted", "rewritten", "foreign", "broken"]).map(
        lambda trouble: BranchReading(trouble=trouble)
    ),
)
rows = st.builds(
    row,
    st.sampled_from(Slot),
    st.sampled_from(["r-old", "r-new"]),
    confirm_in=st.one_of(st.none(), st.floats(-100, 100)),
    published=st.booleans(),
)


@given(branches, rows)
def test_live_moves_forward_only_by_a_readable_branch(
    branch: BranchReading, reading: RowReading
) -> None:
    decision = decide(branch, reading, NOW)
    if decision.verb in (Verb.FORWARD, Verb.RESUME, Verb.PUBLISH):
        assert branch.head is not None


@given(branches, rows)
def test_an_unconfirmed_switch_never_outlives_its_time(
    branch: BranchReading, reading: RowReading
) -> None:
    live = reading.row
    assert live is not None
    overdue = live.confirm_by is not None and live.confirm_by < NOW
    assert (decide(branch, reading, NOW).verb is Verb.SWITCH_BACK) == overdue


@given(rows)
def test_without_a_database_nothing_is_decided(reading: RowReading) -> None:
    down = RowReading(row=reading.row, down=True)
    assert decide(head(), down, NOW).verb is Verb.WAIT
