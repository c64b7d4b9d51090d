"""What a controller in a cluster writes down: it comes back as it was, and never grows too large."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.model.errors import BadInput
from pipelines.model.sync_state import (
    MOST_BYTES,
    MOST_HEALS,
    MOST_RESULTS,
    MOST_WHOLE,
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


def sync(number: int, results: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "revision": str(number), "actor": "ada", "options": {"prune": True}, "manifests": "sha256:1",
        "counts": {"Synced": len(results)}, "results": results,
    }  # fmt: skip


@settings(max_examples=15)
@given(syncs=st.integers(0, 20), count=st.integers(0, 400), size=st.integers(0, 200))
def test_every_kept_sync_says_who_and_what_whatever_its_size(
    syncs: int, count: int, size: int
) -> None:
    results = [result(f"ConfigMap n/{number}", message="x" * size) for number in range(count)]
    results.append(result("the bad one", "SyncFailed", "no"))
    history = [sync(number, results) for number in range(syncs)]
    text = render(SyncState("slots", "slots", history=history))
    assert len(text) <= MOST_BYTES
    found = parse(text, "x").history
    assert [one["revision"] for one in found] == [str(number) for number in range(syncs)]
    for one in found:
        assert (one["actor"], one["options"]) == ("ada", {"prune": True})
        assert one["counts"] == {"Synced": count + 1}
        assert len(one["results"]) + one["results_left_out"] == count + 1
        assert one["results"][-1]["resource"] == "the bad one"


def test_the_newest_syncs_keep_every_result_and_older_ones_what_went_wrong() -> None:
    results = [result("good"), result("bad", "SyncFailed")]
    history = [sync(number, results) for number in range(MOST_WHOLE + 1)]
    oldest, *newer = parse(render(SyncState("slots", "slots", history=history)), "x").history
    assert [one["resource"] for one in oldest["results"]] == ["bad"]
    assert all(one["results"] == results for one in newer)


def test_a_history_without_results_is_read_too() -> None:
    text = '{"application":"a","path":"p","history":[{"revision":"1"}]}'
    again = parse(render(parse(text, "x")), "x")
    assert again.history == [{"revision": "1", "results": [], "results_left_out": 0}]


def test_what_went_wrong_is_kept_before_what_went_well() -> None:
    results = [result(str(number)) for number in range(MOST_RESULTS)]
    results.append(result("the bad one", "SyncFailed", "no"))
    found = parse(render(SyncState("slots", "slots", results=results)), "x")
    assert found.results[-1]["resource"] == "the bad one"
    assert found.results_left_out == 1


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"application":"a","path":"p","unknown":1}', '{"application":1,"path":"p"}',
     '{"application":"a","path":"p","heals":3}', '{"application":"a","path":"p","results":[1]}',
     '{"application":"a","path":"p","history":[{"results":[1]}]}',
     '{"application":"a","path":"p","history":[{"results":1}]}',
     '{"application":"a","path":"p","history":[{"results":[],"results_left_out":"x"}]}'],
)  # fmt: skip
def test_what_nobody_of_us_wrote_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="was not written by a controller"):
        parse(text, "the map")


def test_a_document_of_somebody_is_no_crash() -> None:
    with pytest.raises(BadInput):
        parse(json.dumps({"application": "a", "path": "p", "phase": {"deep": 1}}), "x")
