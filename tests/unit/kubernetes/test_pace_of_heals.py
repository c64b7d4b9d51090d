"""How fast one object is put back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.targets.kubernetes.heal_pace import FREE, MOST_SECONDS, QUIET_SECONDS, Pace


def heals_in(seconds: float, gap_seconds: float) -> int:
    """How often an object that drifts every `gap_seconds` is put back."""
    pace, now, count = Pace(), 0.0, 0
    while now < seconds:
        if pace.may("key", now):
            pace.healed("key", now)
            count += 1
        now += gap_seconds
    return count


def test_the_first_heals_are_made_at_once() -> None:
    assert heals_in(1.0, 0.1) == FREE


@given(gap=st.floats(0.01, 1.0))
def test_a_fight_costs_few_requests_in_an_hour(gap: float) -> None:
    assert FREE < heals_in(600.0, gap) <= FREE + 10


def test_an_object_that_stayed_quiet_is_healed_at_once_again() -> None:
    pace = Pace()
    for _ in range(FREE + 2):
        pace.healed("key", 0.0)
    assert not pace.may("key", 1.0)
    later = MOST_SECONDS + QUIET_SECONDS + 1
    pace.healed("key", later)
    assert pace.may("key", later)


def test_a_heal_that_failed_waits_and_others_do_not() -> None:
    pace = Pace()
    pace.failed("one", 0.0)
    assert not pace.may("one", 1.0)
    assert pace.may("one", 2.0)
    assert pace.may("other", 0.0)


@given(st.lists(st.sampled_from(["healed", "failed"]), max_size=40))
def test_no_pause_is_longer_than_the_longest(words: list[str]) -> None:
    pace = Pace()
    for word in words:
        getattr(pace, word)("key", 0.0)
    assert pace.may("key", MOST_SECONDS)
