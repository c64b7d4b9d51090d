"""Analysis says no for the right reason, and states its sample size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.verdict import (
    Observation,
    judge,
    percentile,
    percentile_bounds,
    slope_per_minute,
    wilson_lower,
)
from pipelines.model.environment import AnalysisSettings
from pipelines.model.live import Check, TrafficCounters

SETTINGS = AnalysisSettings(min_samples=100)
GOOD = Observation(latencies_seconds=(0.003,) * 600)


def failing(new: Observation, baseline: Observation = GOOD, *, required: bool = True) -> list[str]:
    checks: list[Check] = judge(SETTINGS, new, baseline, samples_required=required)
    return [check.name for check in checks if not check.ok]


@pytest.mark.parametrize(
    ("new", "names"),
    [
        pytest.param(GOOD, [], id="a good release"),
        pytest.param(Observation((0.003,) * 50), ["samples"], id="too few samples"),
        # 30 of 600 = 5 %; the lower bound of its interval is 3.5 %, over 1 %
        pytest.param(Observation((0.003,) * 570, errors=30), ["errors"], id="five percent errors"),
        # 1 of 600 may be chance
        pytest.param(Observation((0.003,) * 599, errors=1), [], id="one stray error"),
        pytest.param(Observation((0.012,) * 600), ["latency"], id="four times slower"),
        # 2.5 times slower, but by 4.5 ms only
        pytest.param(Observation((0.0075,) * 600), [], id="slower by less than is noticeable"),
        # 4 of 20 slow answers: the interval of p95 begins at the 16th of 20, which is a fast one
        pytest.param(Observation((0.003,) * 16 + (0.06,) * 4), [], id="a few slow answers of few"),
        # 60 of 600: the interval of p95 begins at the 559th, which is a slow one
        pytest.param(Observation((0.003,) * 540 + (0.06,) * 60), ["latency"], id="a slow tenth"),
        pytest.param(
            Observation((0.003,) * 600, counters=TrafficCounters(1000, 60)),
            ["traffic errors"],
            id="errors in real traffic only",
        ),
        pytest.param(
            Observation(
                (0.003,) * 600, memory={"api": [(t, 10**8 + t * 4 * 10**6) for t in range(30)]}
            ),
            ["memory"],
            id="leaks 4 MB a second",
        ),
        pytest.param(Observation((0.003,) * 600, restarts=1), ["restarts"], id="a restart"),
    ],
)
def test_a_soak_fails_for_its_reason(new: Observation, names: list[str]) -> None:
    assert failing(new, required=len(names) > 0) == names


def test_too_few_samples_do_not_matter_where_they_are_not_required() -> None:
    assert failing(Observation((0.003,) * 20), required=False) == []


def test_every_check_states_its_sample_size() -> None:
    assert all(
        check.samples > 0
        for check in judge(SETTINGS, GOOD, GOOD, samples_required=True)
        if check.name in ("samples", "errors", "latency", "restarts")
    )


@given(st.lists(st.floats(0, 10), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values(values: list[float], fraction: float) -> None:
    assert percentile(values, fraction) in values


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_lower_bound_never_exceeds_the_ratio(bad: int, more: int) -> None:
    total = bad + more
    assert wilson_lower(bad, total) + 1e-9 >= 0
    assert wilson_lower(bad, total) <= bad / total + 1e-9


def test_the_slope_of_a_straight_line_is_its_slope() -> None:
    assert slope_per_minute([(float(t), 1000 * t) for t in range(10)]) == pytest.approx(60_000)


@given(st.lists(st.floats(0, 10), min_size=1), st.floats(0.01, 0.99))
def test_a_percentile_lies_within_its_bounds(values: list[float], fraction: float) -> None:
    low, high = percentile_bounds(values, fraction)
    assert low <= percentile(values, fraction) <= high
