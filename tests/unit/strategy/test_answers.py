"""The application's answer is believed only when it is sound."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.stages.protocol import Done
from pipelines.stages.strategy_answer import AnswerBroken, InputRefused, read
from pipelines.stages.strategy_plan import Settings, Target

TARGET = Target("alpha", ("dev",), Settings("one", {}), None)
GOOD = {"name": "look-ahead", "ok": True, "message": "fine", "samples": 5, "details": []}
BAD = {**GOOD, "ok": False, "message": "on 2001-02-03 it differs"}


def _done(*checks: dict[str, Any], code: int = 0, ok: bool = True, **more: Any) -> Done:
    document = {"ok": ok, "checks": list(checks)}
    said = {"ok": ok, "document": document, "observed": {"seconds": 1}, **more}
    return Done(code, json.dumps(said), "", 1.0)


def test_a_sound_yes() -> None:
    answer = read(_done(GOOD, GOOD), TARGET, "error")
    assert (answer.red, answer.samples, answer.checks) == (False, 10, 2)
    assert answer.observed == {"seconds": 1}


def test_a_sound_no_names_check_and_strategy() -> None:
    answer = read(_done(GOOD, BAD, code=1, ok=False), TARGET, "error")
    assert answer.red
    (finding,) = answer.findings
    assert finding.rule == "strategy/look-ahead"
    assert finding.message == "one: look-ahead: on 2001-02-03 it differs"
    assert finding.path == "app/trading/strategies/alpha/__init__.py"


def test_places_in_the_source_are_findings_of_their_own() -> None:
    details = ["__init__.py:3: import of os", "parts/x.py:12: eval is not for strategies"]
    check = {**BAD, "name": "forbidden calls", "details": details}
    found = read(_done(check, code=1, ok=False), TARGET, "error").findings
    assert [(f.path, f.line, f.message) for f in found] == [
        ("app/trading/strategies/alpha/__init__.py", 3, "one: import of os"),
        ("app/trading/strategies/alpha/parts/x.py", 12, "one: eval is not for strategies"),
    ]


def test_risk_has_the_severity_of_its_policy_and_honesty_is_always_an_error() -> None:
    risk = {**BAD, "name": "risk max_drawdown"}
    assert not read(_done(risk, code=1, ok=False), TARGET, "warning").red
    assert read(_done(risk, code=1, ok=False), TARGET, "error").red
    assert read(_done(BAD, code=1, ok=False), TARGET, "warning").red
    unknown = {**risk, "message": "not examined: nothing was traded"}
    assert read(_done(unknown, code=1, ok=False), TARGET, "warning").red


BROKEN = {
    "no JSON": Done(0, "all good!", "", 1.0),
    "nothing": Done(0, "", "", 1.0),
    "a list": Done(0, "[]", "", 1.0),
    "timeout": Done(None, "", "", 1.0, "timeout"),
    "missing": Done(None, "", "", 1.0, "missing"),
    "output": Done(None, "", "", 1.0, "output"),
    "killed": Done(-9, json.dumps({"ok": True}), "", 1.0),
    "no checks": _done(),
    "crash": Done(1, "", "Traceback (most recent call last)", 1.0),
    "a check on nothing": _done({**GOOD, "samples": 0}),
    "samples of words": _done({**GOOD, "samples": "many"}),
    "yes with a failed check": _done(BAD),
    "no with good checks": _done(GOOD, code=1, ok=False),
    "yes by exit code 1": _done(GOOD, code=1),
    "a document that says no": _done(GOOD, document={"ok": False, "checks": [GOOD]}),
    "no walls": Done(1, json.dumps({"error": "SANDBOX_UNAVAILABLE", "message": "x"}), "", 1.0),
    "deep": Done(0, "[" * 100_000, "", 1.0),
}


@pytest.mark.parametrize("kind", sorted(BROKEN))
def test_anything_else_is_broken(kind: str) -> None:
    with pytest.raises(AnswerBroken) as caught:
        read(BROKEN[kind], TARGET, "error")
    assert str(caught.value)


def test_bad_input_is_a_matter_of_the_change() -> None:
    said = Done(2, json.dumps({"error": "X", "message": "costs: no number"}), "", 1.0)
    with pytest.raises(InputRefused, match="costs: no number"):
        read(said, TARGET, "error")
