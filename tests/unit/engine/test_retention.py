"""Releases are kept as long as somebody may want to go back to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.retention import expendable, window_start
from pipelines.model.release import Application, Release

NOW = datetime(2026, 3, 10, tzinfo=UTC)
SINCE = window_start(NOW, [1, 72, 24])


def release(number: int, hours_old: float) -> Release:
    built = (NOW - timedelta(hours=hours_old)).isoformat()
    return Release(
        f"r-{number}", str(number), "", "", "", built, "", "", {}, (), {},
        Application("", "", (), (), {}), {},
    )  # fmt: skip


OLD, OLDER, FRESH, NEWEST = release(1, 100), release(2, 200), release(3, 71), release(4, 1)


def test_the_longest_window_counts() -> None:
    assert window_start(NOW, [1, 72, 24]) == NOW - timedelta(hours=72)


def test_what_is_old_and_nowhere_named_goes() -> None:
    found = expendable([OLD, OLDER, FRESH, NEWEST], named=(), used_since=SINCE, used=())
    assert sorted(found) == ["r-1", "r-2"]


def test_what_a_slot_names_or_an_operation_used_stays() -> None:
    found = expendable([OLD, OLDER, NEWEST], named=["r-1"], used_since=SINCE, used=["r-2"])
    assert found == []


def test_the_newest_build_stays_however_old() -> None:
    assert expendable([OLD, OLDER], named=(), used_since=SINCE, used=()) == ["r-2"]
    assert expendable([], named=(), used_since=SINCE, used=()) == []


@given(
    ages=st.lists(st.floats(0, 500), max_size=12),
    named=st.sets(st.integers(0, 11)),
    used=st.sets(st.integers(0, 11)),
)
def test_nothing_named_used_or_inside_the_window_ever_goes(
    ages: list[float], named: set[int], used: set[int]
) -> None:
    releases = [release(number, age) for number, age in enumerate(ages)]
    names, uses = {f"r-{n}" for n in named}, {f"r-{n}" for n in used}
    gone = expendable(releases, named=names, used_since=SINCE, used=uses)
    assert not set(gone) & (names | uses)
    assert all(ages[int(name[2:])] >= 72 for name in gone)
