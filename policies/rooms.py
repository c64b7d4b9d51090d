"""The rooms by name: parse a policy, judge facts by a rule.

    data = rooms.load_data("promotion", text)       # policy.yaml of the branch that decides
    findings = rooms.judge("promotion", facts, data)

Facts and data are plain mappings, as JSON could say them; what each rule takes stands in the
docstring of `policies/<rule>/rule.py`. An empty list means: nothing against it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

from pipelines.model.check import Finding
from pipelines.model.errors import BadInput
from policies import packaged, policy
from policies.policy import SEVERITIES, Policy

RULES = (
    "branch_names",
    "branch_flow",
    "pull_request",
    "reviews",
    "strategy_isolation",
    "promotion",
    "freeze_windows",
    "risk",
    "migrations",
    "dependencies",
)
SEVERITY = "severity"
"""Key under which `load_data` puts the severity of the policy beside its data."""


def judge(rule_name: str, facts: Mapping[str, Any], data: Mapping[str, Any]) -> list[Finding]:
    """What the rule says about the facts, refusals with the severity of the policy.

    Raises BadInput for an unknown rule, and for facts or data that are not what the rule takes.
    """
    rule = _rule(rule_name)
    severity = data.get(SEVERITY, "error")
    if severity not in SEVERITIES:
        raise BadInput(
            f"{policy.file_of(rule_name)}: severity: {severity!r:.60} is not allowed",
            hint=f"one of: {', '.join(SEVERITIES)}",
        )
    parsed = rule.Data.from_mapping(_plain(data), policy.file_of(rule_name))
    found: list[Finding] = rule.judge(rule.Facts.from_mapping(dict(facts)), parsed)
    return [replace(f, severity=severity) if f.severity == "error" else f for f in found]


def load_data(rule_name: str, text: str) -> Mapping[str, Any]:
    """Data and severity out of the text of a `policy.yaml`. Raises BadInput for whatever is wrong
    with it, the values of its data included."""
    read = load_policy(rule_name, text)
    return {**read.data, SEVERITY: read.severity}


def load_policy(rule_name: str, text: str) -> Policy:
    """The whole policy; raises as `load_data` does."""
    rule = _rule(rule_name)
    read = policy.parse(rule_name, text)
    rule.Data.from_mapping(_plain(read.data), policy.file_of(rule_name))
    return read


def packaged_data(rule_name: str) -> Mapping[str, Any]:
    """`load_data` of what was packaged with this engine."""
    return load_data(rule_name, packaged_text(rule_name, "policy.yaml"))


def packaged_text(rule_name: str, file: str) -> str:
    """`policy.yaml` or `cases.yaml` as packaged. Raises BadInput for an unknown rule."""
    _known(rule_name)
    return packaged.text(rule_name, file)


def _rule(name: str) -> Any:
    """The module with `Facts`, `Data` and `judge`; loaded when it is asked."""
    _known(name)
    return import_module(f"policies.{name}.rule")


def _known(name: str) -> None:
    if name not in RULES:
        near = difflib.get_close_matches(name, RULES, n=1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        raise BadInput(f"no rule {name!r:.60}", hint=f"{guess}rules are: {', '.join(RULES)}")


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != SEVERITY}
