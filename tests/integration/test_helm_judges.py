"""Values are judged by a schema that is compiled once, exactly as Helm judges them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.adapters.kubernetes import helm_child
from tests.support.charts import CHARTS

helm = pytest.importorskip("helm_python", reason="no wheel of it for this machine")
NAMES = ("trading", "edge", "database")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "1000m", "1Gi", "blue", "a b", "\u00a0x", "x\n", "r-1", "https://x"]),
    st.text(max_size=8),
)
ANYTHING = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=2),
    st.dictionaries(st.sampled_from(["cpu", "memory", "name", "other"]), SCALARS, max_size=2),
)


@cache
def chart(name: str) -> helm_child.Loaded:
    return helm_child._chart(helm, {}, str(CHARTS / name))


@cache
def places(name: str) -> list[tuple[str, ...]]:
    """Every key of the chart's own values, and one below each that nobody wrote."""
    found = list(_below((), chart(name).whole.values))
    return [*found, *((*path, "other") for path in found)]


def _below(path: tuple[str, ...], values: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        yield (*path, key)
        if isinstance(value, Mapping):
            yield from _below((*path, key), value)


@st.composite
def chosen(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A chart, and values that lay one or two things over its own."""
    name = draw(st.sampled_from(NAMES))
    values: dict[str, Any] = {}
    for path in draw(st.lists(st.sampled_from(places(name)), min_size=1, max_size=2)):
        inner = values
        for key in path[:-1]:
            below = inner.setdefault(key, {})
            if not isinstance(below, dict):
                break
            inner = below
        else:
            inner[path[-1]] = draw(ANYTHING)
    return name, values


def refusal(judge: Any, values: dict[str, Any]) -> str:
    try:
        judge(values)
    except helm.HelmError as error:
        return str(error)
    return ""


@given(chosen())
def test_what_is_refused_and_why_is_what_helm_refuses(found: tuple[str, dict[str, Any]]) -> None:
    name, values = found
    own = refusal(chart(name).judge, values)
    assert bool(own) == bool(refusal(chart(name).whole.validate_schema, values)), own


@pytest.mark.parametrize("name", NAMES)
def test_helm_is_not_asked_about_values_that_are_right(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(type(chart(name).whole), "validate_schema", lambda *a: asked.append(a))
    chart(name).judge({"environment": "dev"} if name != "database" else {})
    assert not asked
    chart(name).judge({"nonsense": 1})
    chart(name).judge({"environment": None})
    assert len(asked) == 2
