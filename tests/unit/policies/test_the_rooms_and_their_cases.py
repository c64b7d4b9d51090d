"""Every room's cases come out as they say, and notice when a value of its data is let go."""

from __future__ import annotations

import pytest

from pipelines.model import yaml_strict
from pipelines.model.errors import BadInput
from policies import cases, rooms
from tests.unit.policies.mutations import looser

DATA = {rule: rooms.packaged_data(rule) for rule in rooms.RULES}
CASES = [
    case
    for rule in rooms.RULES
    for case in cases.parse(rule, rooms.packaged_text(rule, "cases.yaml"))
]
LOOSER = [
    (rule, what, data)
    for rule in rooms.RULES
    for what, data in looser(DATA[rule])
    if "calendar" not in what  # its days have a test of their own
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.rule}: {c.name}")
def test_a_case_comes_out_as_it_says(case: cases.Case) -> None:
    assert cases.complaint(case, DATA[case.rule]) == ""


@pytest.mark.parametrize(("rule", "what", "data"), LOOSER, ids=[f"{r}: {w}" for r, w, _ in LOOSER])
def test_a_value_that_is_let_go_is_noticed(rule: str, what: str, data: dict[str, object]) -> None:
    assert any(cases.complaint(case, data) for case in CASES if case.rule == rule)


@pytest.mark.parametrize("rule", rooms.RULES)
def test_every_room_has_several_cases_of_both_kinds(rule: str) -> None:
    own = [case for case in CASES if case.rule == rule]
    assert sum(case.good for case in own) >= 4
    assert sum(not case.good for case in own) >= 8


@pytest.mark.parametrize("rule", rooms.RULES)
def test_an_unknown_key_in_the_data_is_refused_by_name(rule: str) -> None:
    policy = yaml_strict.load_mapping(rooms.packaged_text(rule, "policy.yaml"), "policy")
    policy["data"]["allow_everything"] = True
    with pytest.raises(BadInput, match="allow_everything") as caught:
        rooms.load_data(rule, yaml_strict.dump(policy))
    assert f"policies/{rule}/policy.yaml" in caught.value.message


@pytest.mark.parametrize("rule", rooms.RULES)
def test_a_missing_key_in_the_data_is_refused(rule: str) -> None:
    policy = yaml_strict.load_mapping(rooms.packaged_text(rule, "policy.yaml"), "policy")
    optional = {"accepted", "warning_locks"}
    for key in set(policy["data"]) - optional:
        less = {**policy, "data": {k: v for k, v in policy["data"].items() if k != key}}
        with pytest.raises(BadInput, match=key):
            rooms.load_data(rule, yaml_strict.dump(less))


@pytest.mark.parametrize("rule", rooms.RULES)
def test_unknown_facts_are_refused_or_figures(rule: str) -> None:
    case = next(case for case in CASES if case.rule == rule)
    with pytest.raises(BadInput):
        rooms.judge(rule, {**case.facts, "and_more": "words"}, rooms.packaged_data(rule))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "title: x", "{title: x, why: y, severity: none, data: {}}", "a: &b c", "\x00"],
)
def test_a_broken_policy_is_bad_input(text: str) -> None:
    with pytest.raises(BadInput, match="policies/promotion/policy"):
        rooms.load_data("promotion", text)


def test_an_unknown_rule_is_refused_with_a_guess() -> None:
    with pytest.raises(BadInput, match="promotoin") as caught:
        rooms.judge("promotoin", {}, {})
    assert "'promotion'" in caught.value.hint


def test_the_severity_of_the_policy_is_that_of_its_refusals() -> None:
    data = {**rooms.packaged_data("branch_names"), "severity": "warning"}
    assert [f.severity for f in rooms.judge("branch_names", {"name": "x"}, data)] == ["warning"]


def test_a_note_stays_a_note_whatever_the_severity() -> None:
    facts = {"text": None, "local": True, "strategies": []}
    found = rooms.judge("pull_request", facts, rooms.packaged_data("pull_request"))
    assert [finding.severity for finding in found] == ["note"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("good: []\nbad: []", "needs good and bad cases"),
        ("good: [{name: a, facts: {}}]\nbad: [{name: a, facts: {}, expect: x}]", "there twice"),
        ("good: [{name: a, facts: {}}]\nbad: [{name: b, facts: {}}]", "expect"),
        ("good: [{name: a, facts: {x: [$y]}}]\nbad: []", "not in `shared`"),
    ],
)
def test_cases_that_prove_nothing_are_refused(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        cases.parse("risk", text)
