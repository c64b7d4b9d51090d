"""OSV ranges against PEP 440 versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.model.advisory import Advisory
from pipelines.stages.security.affected import affects, fixed_in


def advisory(*events: tuple[str, str], versions: tuple[str, ...] = ()) -> Advisory:
    return Advisory("X-1", "example", ranges=(events,) if events else (), versions=versions)


FIXED = (("introduced", "1.0"), ("fixed", "2.0"))
LAST = (("introduced", "0"), ("last_affected", "2.0"))
TWICE = (("introduced", "1.0"), ("fixed", "1.5"), ("introduced", "2.0"), ("fixed", "2.5"))


@pytest.mark.parametrize(
    ("found", "version", "expected"),
    [
        pytest.param(advisory(*FIXED), "0.9", False, id="before it came in"),
        pytest.param(advisory(*FIXED), "1.0", True, id="where it came in"),
        pytest.param(advisory(*FIXED), "1.0.0", True, id="the same release written longer"),
        pytest.param(advisory(*FIXED), "2.0rc1", True, id="a candidate of the fix is not the fix"),
        pytest.param(advisory(*FIXED), "2.0", False, id="the fix"),
        pytest.param(advisory(*FIXED), "1!0.1", False, id="an epoch is later than everything"),
        pytest.param(advisory(*FIXED), "1.10", True, id="ten is more than nine"),
        pytest.param(advisory(*LAST), "2.0", True, id="the last one affected"),
        pytest.param(advisory(*LAST), "2.0+cu118", True, id="a local build of the last one"),
        pytest.param(advisory(*LAST), "2.0.1", False, id="after the last one"),
        pytest.param(advisory(*LAST), "0.0.1a1", True, id="zero means from the beginning"),
        pytest.param(advisory(*FIXED), "2.0+cu118", False, id="a local build of the fix"),
        pytest.param(advisory(*TWICE), "1.7", False, id="between two ranges"),
        pytest.param(advisory(*TWICE), "2.1", True, id="in the second range"),
        pytest.param(advisory(*TWICE[::-1]), "2.1", True, id="events in another order"),
        pytest.param(advisory(("introduced", "1.0")), "99", True, id="never fixed"),
        pytest.param(advisory(versions=("1.1", "1.2")), "1.2.0", True, id="named one by one"),
        pytest.param(advisory(versions=("1.1", "1.2")), "1.3", False, id="not named"),
        pytest.param(advisory(versions=("odd_1",)), "1.3", False, id="a name that is no version"),
        pytest.param(advisory(*FIXED, versions=("3.0",)), "3.0", True, id="named beside a range"),
        pytest.param(advisory(), "1.0", None, id="says nothing about releases"),
        pytest.param(advisory(("introduced", "odd one")), "1.0", None, id="cannot be compared"),
        pytest.param(advisory(("fixed", "2.0")), "1.0", None, id="never came in"),
        pytest.param(advisory(*FIXED), "odd", None, id="a pin that is no version"),
    ],
)
def test_a_release_is_meant_or_not(found: Advisory, version: str, expected: bool | None) -> None:
    assert affects(found, version) is expected


def test_what_was_withdrawn_means_no_release() -> None:
    assert affects(Advisory("X-1", "example", withdrawn=True), "1.0") is False


def test_the_way_out_is_the_lowest_fix_above() -> None:
    assert fixed_in(advisory(*TWICE), "1.2") == "1.5"
    assert fixed_in(advisory(*TWICE), "2.2") == "2.5"
    assert fixed_in(advisory(*LAST), "1.0") == ""


numbers = st.integers(0, 30)


@given(low=numbers, length=st.integers(1, 10), at=numbers)
def test_a_range_is_half_open_and_last_affected_closes_it(low: int, length: int, at: int) -> None:
    high = low + length
    fixed = advisory(("introduced", f"{low}.0"), ("fixed", f"{high}.0"))
    last = advisory(("introduced", f"{low}.0"), ("last_affected", f"{high}.0"))
    assert affects(fixed, f"{at}.0") is (low <= at < high)
    assert affects(last, f"{at}.0") is (low <= at <= high)
