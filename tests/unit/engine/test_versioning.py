"""Versions say how careful to be, and a number never means two things."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.versioning import (
    FIRST,
    Bump,
    Version,
    bump_of,
    next_version,
    parse,
    versions_in,
)
from pipelines.model.check import CommitFact
from pipelines.model.errors import BadInput

TREES = {"app": "a1", "environments": "e1"}
numbers = st.integers(0, 999_999)
versions = st.builds(Version, numbers, numbers, numbers)


def commit(subject: str, body: str = "") -> CommitFact:
    return CommitFact("c" * 40, "Ada", subject, body)


@pytest.mark.parametrize(
    ("text", "version"),
    [("1.4.0", Version(1, 4, 0)), ("v0.0.1", Version(0, 0, 1)), ("v10.20.30", Version(10, 20, 30))],
)
def test_a_version_is_three_numbers(text: str, version: Version) -> None:
    assert parse(text) == version


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.2", "1.2.3.4", "v01.2.3", "1.02.3", "1.2.3-rc1", "vv1.2.3", "١.٢.٣", "1.2.3\n"],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(text)
    assert "v1.4.0" in refused.value.hint


def test_tags_that_are_no_versions_are_passed_over() -> None:
    names = ["v1.0.0", "v01.0.0", "latest", "vv2.0.0", "1.2.3", "v2.0.0-rc1"]
    assert versions_in(names) == {Version(1, 0, 0): "v1.0.0"}
    assert versions_in(["release/v1.2.3", "release/vnext"], "release/v") == {
        Version(1, 2, 3): "release/v1.2.3"
    }


@pytest.mark.parametrize(
    ("commits", "after", "contracts", "bump"),
    [
        pytest.param([commit("Merge feature/x")], {**TREES, "app": "a2"}, [], Bump.MINOR, id="code"),
        pytest.param(
            [commit("Merge feature/x")], {**TREES, "environments": "e2"}, [], Bump.PATCH, id="settings"
        ),
        pytest.param(
            [commit("Merge hotfix/x")], {**TREES, "app": "a2"}, [], Bump.PATCH, id="hotfixes"
        ),
        pytest.param(
            [commit("Merge feature/x")], {**TREES, "app": "a2"}, ["r9"], Bump.MAJOR, id="contract"
        ),
        pytest.param(
            [commit("Merge feature/x", "New API.\n\nBREAKING CHANGE: no /v1")],
            {**TREES, "app": "a2"}, [], Bump.MAJOR, id="breaking",
        ),
        pytest.param([], {**TREES, "app": "a2"}, [], Bump.MINOR, id="code without a merge"),
    ],
)  # fmt: skip
def test_what_changed_decides_how_much_the_version_grows(
    commits: list[CommitFact], after: dict[str, str], contracts: list[str], bump: Bump
) -> None:
    assert bump_of(commits, TREES, after, contracts) is bump


def test_before_1_0_0_a_breaking_change_is_a_minor_version() -> None:
    assert next_version(Version(0, 4, 2), Bump.MAJOR, []) == Version(0, 5, 0)
    assert next_version(Version(1, 4, 2), Bump.MAJOR, []) == Version(2, 0, 0)


@given(last=st.none() | versions, bump=st.sampled_from(Bump), taken=st.sets(versions, max_size=5))
def test_a_new_version_is_newer_and_was_never_given(
    last: Version | None, bump: Bump, taken: set[Version]
) -> None:
    near = {next_version(last, bump, ()), *taken}
    found = next_version(last, bump, near)
    assert found not in near
    assert last is None or found > last
    assert parse(f"v{found}") == found


def test_the_first_version_is_below_one() -> None:
    assert next_version(None, Bump.MAJOR, ()) == FIRST
