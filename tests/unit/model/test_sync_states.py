"""What a controller in a cluster writes down: it comes back as it was, and never grows too large."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.model.errors import BadInput
from pipelines.model.sync_state import (
    MOST_BYTES,
    MOST_HEALS,
    MOST_RESULTS,
    MOST_WORDS,
    SyncState,
    parse,
    render,
)


def result(name: str, code: str = "Synced", message: str = "ok") -> dict[str, Any]:
    return {"resource": name, "result": code, "message": message, "phase": "Sync", "wave": 0}


@given(
    words=st.text(max_size=200), phase=st.sampled_from(["", "Running", "Failed"]),
    names=st.lists(st.text(max_size=20), max_size=5), asked=st.text(max_size=50),
)  # fmt: skip
def test_it_is_read_as_it_was_written(words: str, phase: str, names: list[str], asked: str) -> None:
    results = [result(name) for name in names]
    state = SyncState("slots", "slots", message=words, phase=phase, asked=asked, results=results)
    assert parse(render(state), "x") == SyncState(
        "slots", "slots", message=words, phase=phase, asked=asked, results=results, heals=[],
        history=[],
    )  # fmt: skip


@given(count=st.integers(0, 3_000), size=st.integers(0, 3_000), heals=st.integers(0, 100))
def test_it_fits_beside_others_of_its_kind_whatever_is_told(
    count: int, size: int, heals: int
) -> None:
    results = [result(f"ConfigMap n/{number}", message="é" * size) for number in range(count)]
    state = SyncState(
        "slots", "slots", message="x" * size, results=results,
        heals=[result("h", message="y" * size)] * heals,
        history=[result("o", message="z" * size)] * heals,
    )  # fmt: skip
    text = render(state)
    assert len(text) <= MOST_BYTES
    found = parse(text, "x")
    assert len(found.results) + found.results_left_out == count
    assert len(found.results) <= MOST_RESULTS
    assert len(found.heals) <= MOST_HEALS
    assert len(found.message) <= MOST_WORDS


def test_what_went_wrong_is_kept_before_what_went_well() -> None:
    results = [result(str(number)) for number in range(MOST_RESULTS)]
    results.append(result("the bad one", "SyncFailed", "no"))
    found = parse(render(SyncState("slots", "slots", results=results)), "x")
    assert found.results[-1]["resource"] == "the bad one"
    assert found.results_left_out == 1


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"application":"a","path":"p","unknown":1}', '{"application":1,"path":"p"}',
     '{"application":"a","path":"p","heals":3}', '{"application":"a","path":"p","results":[1]}'],
)  # fmt: skip
def test_what_nobody_of_us_wrote_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="was not written by a controller"):
        parse(text, "the map")


def test_a_document_of_somebody_is_no_crash() -> None:
    with pytest.raises(BadInput):
        parse(json.dumps({"application": "a", "path": "p", "phase": {"deep": 1}}), "x")
