"""`slipway evidence` and repeating a gate, on a state folder with real keys, ledger and origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.flows.context import Context
from pipelines.flows.proof import problems_of, repeat, rows_of, subject_of
from pipelines.model.check import StageResult
from pipelines.model.errors import BadInput, Refused
from pipelines.model.release import Release
from tests.support.earning import Asking


class OneRelease:
    """A store that holds one release."""

    def __init__(self, release: Release) -> None:
        self.release = release

    def all(self) -> list[Release]:
        return [self.release]

    def get(self, name: str) -> Release:
        if name in (self.release.id, self.release.version):
            return self.release
        raise Refused(f"release '{name}' is unknown")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Asking:
    return Asking(tmp_path_factory.mktemp("template"))


@pytest.fixture
def asking(tmp_path: Path, template: Asking) -> Asking:
    return Asking(tmp_path, template)


def context(asking: Asking) -> Context:
    store: Any = OneRelease(asking.release)
    return replace(asking.context("dev"), store=store)


def test_a_release_is_found_by_id_version_source_and_commit(asking: Asking) -> None:
    asking.check("policy")
    ctx, release = context(asking), asking.release
    for name in (release.id, "2", asking.source, asking.source[:12], release.source_commit):
        assert subject_of(ctx, name).source == asking.source, name
        assert subject_of(ctx, name).release == release.id, name


def test_a_source_that_nothing_was_built_from_is_found_too(asking: Asking) -> None:
    asking.check("policy", source="ee" * 32)
    assert subject_of(context(asking), "ee" * 5).release == ""


@pytest.mark.parametrize("name", ["nonsense", "0" * 40, "-x", "", "../x"])
def test_what_is_not_there_is_refused(asking: Asking, name: str) -> None:
    with pytest.raises(Refused, match="unknown"):
        subject_of(context(asking), name)


def test_the_beginning_of_two_sources_is_no_name(asking: Asking) -> None:
    for source in ("ee" * 32, "ee" * 31 + "ef"):
        asking.check("policy", source=source)
    with pytest.raises(BadInput, match="the beginning of 2 sources"):
        subject_of(context(asking), "ee" * 10)


def test_verify_names_what_is_missing_red_or_damaged(asking: Asking) -> None:
    ctx = context(asking)
    subject = subject_of(ctx, asking.release.id)
    assert problems_of(ctx, subject, [])[1] == [
        f"nobody has said anything about source {asking.source[:12]}"
    ]
    asking.check("policy")
    assert problems_of(ctx, subject, ["policy"])[1] == []
    assert problems_of(ctx, subject, ["security"])[1] == [
        "nobody has said that stage security passed"
    ]
    asking.check("policy", "broken")
    assert problems_of(ctx, subject, ["policy"])[1] == ["stage policy broken: it says no more"]
    (asking.state / "evidence" / asking.source / "000001.json").write_text("{}")
    assert "statement 1: " in problems_of(ctx, subject, ["policy"])[1][0]


def test_the_table_says_who_said_what(asking: Asking) -> None:
    asking.earn_everything()
    rows = rows_of(problems_of(context(asking), subject_of(context(asking), "2"), [])[0])
    assert [row["says"] for row in rows[-3:]] == [
        "check-runner",
        "environment:staging",
        "person ada",
    ]
    assert rows[0]["about"].startswith("policy passed")


def answered(**changed: Any) -> StageResult:
    return replace(StageResult("policy", "passed", "", samples=3, document={}), **changed)


def test_a_gate_that_answers_the_same_bytes_is_the_same(asking: Asking) -> None:
    asking.check("policy")
    asked: list[Mapping[str, Any]] = []

    def rerun(said: Mapping[str, Any]) -> StageResult:
        asked.append(said)
        return answered(seconds=99.0, observed={"age": 3})

    [one] = repeat(asking.ledger().proven(asking.source), [], rerun)
    assert (one.stage, one.same) == ("policy", True)
    assert asked[0]["stage"] == "policy"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"document": {"files": 3}}, "document differs in files"),
        ({"status": "failed"}, "was passed, is failed"),
        ({"document": {"x": None}, "inputs": {"app": "git:1"}}, "inputs differ: app"),
        ({"document": {"x": 1}, "tools": {"ruff": "2"}}, "tools differ: ruff"),
    ],
)
def test_a_gate_that_answers_otherwise_is_named(
    asking: Asking, changed: dict[str, Any], words: str
) -> None:
    asking.check("policy")
    [one] = repeat(asking.ledger().proven(asking.source), ["policy"], lambda _: answered(**changed))
    assert not one.same
    assert words in one.words


def test_a_gate_that_was_never_checked_cannot_be_repeated(asking: Asking) -> None:
    with pytest.raises(Refused, match="nothing to repeat"):
        repeat(asking.ledger().proven(asking.source), [], lambda _: answered())
    asking.check("policy")
    with pytest.raises(Refused, match="stage render was never checked"):
        repeat(asking.ledger().proven(asking.source), ["render"], lambda _: answered())
