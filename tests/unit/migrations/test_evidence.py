"""A rehearsal is said as evidence of its own, with what it was about and what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.flows.jobs import sign
from pipelines.model.check import FAILED, PASSED, UNTOUCHED, Report, StageResult
from pipelines.model.evidence import CHECK, REHEARSAL, Statement
from policies import rooms


class Said:
    """Keeps what was said, in order."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, str, Mapping[str, Any], str]] = []

    def say(
        self,
        predicate_type: str,
        source: str,
        predicate: Mapping[str, Any],
        *,
        role: str,
        signer: str,
        release: str = "",
    ) -> Statement:
        self.statements.append((predicate_type, source, predicate, role))
        return Statement(predicate_type, source, predicate, role, signer, "", 1, "", release)


def _said(status: str, **rehearsal: Any) -> list[tuple[str, Mapping[str, Any]]]:
    document = {"rehearsal": rehearsal} if rehearsal else {}
    observed = {"rehearsal": {"seconds": 9.5, "longest_stall_seconds": 0.02}}
    stage = StageResult("migrations", status, "s", document=document, observed=observed)
    said = Said()
    sign(said, Report("feature/a", "develop", "c", "b", "digest", (stage,)))  # type: ignore[arg-type]
    assert {(source, role) for _, source, _, role in said.statements} == {
        ("digest", "check-runner")
    }
    return [(kind, predicate) for kind, _, predicate, _ in said.statements]


def test_a_rehearsal_is_a_statement_beside_the_stage_s_own() -> None:
    said = _said(PASSED, migrations=["r0003"], data="backup", rows=7, ok=True)
    assert [kind for kind, _ in said] == [CHECK, REHEARSAL]
    wanted = {"migrations": ["r0003"], "data": "backup", "rows": 7, "ok": True}
    assert said[1][1] == {**wanted, "seconds": 9.5, "longest_stall_seconds": 0.02}


def test_a_rehearsal_that_failed_is_said_too() -> None:
    assert _said(FAILED, migrations=["r0003"], data="backup", rows=7, ok=False)[1][1]["ok"] is False


def test_without_a_rehearsal_nothing_is_said_about_one() -> None:
    assert [kind for kind, _ in _said(UNTOUCHED)] == [CHECK]


def test_the_figures_of_the_policy_are_those_that_are_promised() -> None:
    data = rooms.packaged_data("migrations")
    assert data["rehearsal_rows"] == 500_000
    assert data["longest_stall_seconds"] == 0.3
