"""What a controller in a cluster does about an Application at each look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.sync.due import Due, due
from pipelines.model.sync_state import ERROR, FAILED, RUNNING, SUCCEEDED, TERMINATED, SyncState

OLD, NEW = "a" * 40, "b" * 40
DONE = SyncState("slots", "slots", revision=OLD, phase=SUCCEEDED)


def yes() -> bool:
    return True


def no() -> bool:
    return False


def never() -> bool:
    raise AssertionError("nothing had to be looked at")


def at(
    state: SyncState, commit: str = OLD, differs: Callable[[], bool] = never, **told: Any
) -> Due:
    return due(state, commit, "slots", **{"asked": "", "again": False, "differs": differs, **told})


def test_a_newer_commit_is_synced_only_where_live_is_not_as_it_says() -> None:
    assert at(DONE, NEW, yes) is Due.SYNC
    assert at(DONE, NEW, no) is Due.KEEP
    assert at(SyncState("slots", "slots"), NEW, yes) is Due.SYNC


def test_what_was_synced_is_kept_without_comparing_everything_again() -> None:
    assert at(DONE) is Due.KEEP


@pytest.mark.parametrize("phase", [FAILED, ERROR])
def test_a_failed_commit_rests_until_a_newer_one_or_a_person(phase: str) -> None:
    failed = replace(DONE, phase=phase)
    assert at(failed) is Due.REST
    assert at(failed, again=True) is Due.REST
    assert at(failed, asked="ada 1") is Due.SYNC
    assert at(replace(failed, asked="ada 1"), asked="ada 1") is Due.REST
    assert at(failed, NEW, yes) is Due.SYNC


def test_what_was_refused_before_anything_was_written_is_looked_at_again_now_and_then() -> None:
    refused = replace(DONE, phase=ERROR, refused=True)
    assert at(refused) is Due.REST
    assert at(refused, again=True) is Due.SYNC


@pytest.mark.parametrize("phase", [RUNNING, TERMINATED])
@pytest.mark.parametrize("commit", [OLD, NEW])
def test_a_sync_that_did_not_end_is_taken_up_though_nothing_differs(
    phase: str, commit: str
) -> None:
    """Its objects may be there, and its hooks not."""
    assert at(replace(DONE, phase=phase), commit) is Due.SYNC


def test_another_folder_is_another_wish() -> None:
    assert due(DONE, OLD, "edge", asked="", again=False, differs=yes) is Due.SYNC


@given(
    phase=st.sampled_from(["", RUNNING, SUCCEEDED, FAILED, ERROR, TERMINATED]),
    refused=st.booleans(), again=st.booleans(), differs=st.booleans(),
    commit=st.sampled_from([OLD, NEW]),
)  # fmt: skip
def test_nothing_rests_but_a_commit_that_failed(
    phase: str, refused: bool, again: bool, differs: bool, commit: str
) -> None:
    state = replace(DONE, phase=phase, refused=refused and phase == ERROR)
    found = due(state, commit, "slots", asked="", again=again, differs=lambda: differs)
    if found is Due.REST:
        assert commit == OLD
        assert phase in ("", FAILED, ERROR)


def test_a_commit_that_waited_in_vain_is_synced_when_its_prunes_are_confirmed_later() -> None:
    failed = replace(DONE, phase=FAILED)
    assert at(failed, confirmed=True) is Due.SYNC
    assert at(replace(failed, confirmed=OLD), confirmed=True) is Due.REST, "confirmed, and failed"
    assert at(DONE, confirmed=True) is Due.KEEP
