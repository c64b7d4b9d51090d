"""Drift as people and programs read it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.model.resource import ResourceKey
from pipelines.model.sync import Action, FieldChange, PlanStep, SyncPhase
from pipelines.targets.kubernetes.drift_report import HIDDEN, drifts, report


def step(kind: str, action: Action, *changes: FieldChange) -> PlanStep:
    key = ResourceKey("", kind, "shop", "one")
    return PlanStep(SyncPhase.SYNC, 0, action, key, None, None, changes)


def test_a_changed_field_is_told_with_who_changed_it_and_when() -> None:
    change = FieldChange("/data/a", "2", "1", "kubectl-edit", "2026-01-02T03:04:05Z")
    text = report([step("ConfigMap", Action.CHANGE, change)])
    assert text == (
        'ConfigMap shop/one: /data/a: is "2", shall be "1"; '
        "by kubectl-edit since 2026-01-02T03:04:05Z"
    )


def test_nothing_to_tell_is_told() -> None:
    assert report([step("ConfigMap", Action.NOTHING)]) == "no drift: everything is as desired"
    assert report([step("Job", Action.HOOK)]) == "no drift: everything is as desired"


def test_what_is_missing_or_too_much_is_told() -> None:
    steps = [step("ConfigMap", Action.CREATE), step("Service", Action.PRUNE)]
    assert report(steps).splitlines() == [
        "ConfigMap shop/one: is missing",
        "Service shop/one: is not desired",
    ]


WORDS = st.text("abcdefghij", min_size=8, max_size=12)


@given(old=WORDS, new=WORDS, path=st.sampled_from(["/data", "/data/k", "/stringData/k"]))
def test_no_value_of_a_secret_is_shown(old: str, new: str, path: str) -> None:
    value: Any = {"k": old} if path == "/data" else old
    steps = [step("Secret", Action.CHANGE, FieldChange(path, value, new))]
    told = report(steps) + json.dumps([drift.as_json() for drift in drifts(steps)])
    assert old not in told
    assert new not in told
    assert HIDDEN in told
