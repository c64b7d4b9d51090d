"""Invariants of the comparison, over objects of a real server."""

from __future__ import annotations

import copy
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.difference.compare import changes
from pipelines.engine.difference.patch import carried_out
from pipelines.engine.difference.quantities import BINARY, DECIMAL, amount, same_amount

DATA = Path(__file__).parent / "data" / "applied"
PAIRS = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(DATA.glob("*.json"))]
KEYED = frozenset({"containers", "env", "volumes", "volumeMounts", "versions"})
SETS = frozenset({"finalizers", "verbs", "resources", "subjects", "policyTypes", "metrics", "from"})
NAMES = st.text("abcdef~/.", min_size=1, max_size=4)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab1mGi", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        changed = {name: shuffled(value[name], chance) for name in names}
        for name in KEYED & changed.keys():
            if isinstance(changed[name], list):
                chance.shuffle(changed[name])
        for name in SETS & changed.keys():
            if isinstance(changed[name], list):
                chance.shuffle(changed[name])
        return changed
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


def widget(spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w"},
        "spec": {"is": spec},
    }


def deployment(pod: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "w"},
        "spec": {"template": {"spec": pod}},
    }


@given(JSON)
def test_an_object_never_differs_from_itself(value: Any) -> None:
    assert changes(widget(value), copy.deepcopy(widget(value))) == ()
    assert changes(deployment(value), copy.deepcopy(deployment(value))) == ()


@given(JSON, JSON)
def test_carrying_changes_out_leaves_none_whatever_there_was(want: Any, have: Any) -> None:
    for kind in (widget, deployment):
        desired, live = kind(want), kind(have)
        after = carried_out(live, changes(desired, live))
        assert changes(desired, after) == ()


@given(st.sampled_from(PAIRS), st.randoms(use_true_random=False))
def test_order_that_means_nothing_makes_no_difference(
    pair: dict[str, Any], chance: random.Random
) -> None:
    assert changes(shuffled(pair["desired"], chance), shuffled(pair["live"], chance)) == ()


@given(st.sampled_from(PAIRS), st.text("xyz", min_size=1, max_size=5))
def test_what_others_add_makes_no_difference(pair: dict[str, Any], name: str) -> None:
    live = copy.deepcopy(pair["live"])
    live["metadata"].setdefault("labels", {})[f"others/{name}"] = "x"
    live["metadata"].setdefault("annotations", {})[f"others/{name}"] = "x"
    live["metadata"].setdefault("finalizers", []).insert(0, f"others/{name}")
    live["status"] = {name: 1}
    pod = live.get("spec", {}).get("template", {}).get("spec")
    if pod:
        pod["containers"].insert(0, {"name": f"others-{name}"})
        pod.setdefault("volumes", []).insert(0, {"name": f"others-{name}"})
        for container in pod["containers"]:
            container.setdefault("env", []).insert(0, {"name": f"OTHERS_{name}"})
    assert changes(pair["desired"], live) == ()


@given(st.sampled_from(PAIRS), st.randoms(use_true_random=False))
def test_the_changes_come_in_one_order_whatever_the_order_of_the_files(
    pair: dict[str, Any], chance: random.Random
) -> None:
    empty = {**pair["live"], "spec": {}, "metadata": {"managedFields": []}}
    found = changes(pair["desired"], empty)
    again = changes(shuffled(pair["desired"], chance), empty)
    assert [change.path for change in again] == [change.path for change in found]


@given(st.integers(0, 10**6), st.sampled_from([*BINARY, *DECIMAL]))
def test_a_suffix_is_its_factor(number: int, suffix: str) -> None:
    factor = (BINARY | DECIMAL)[suffix]
    assert amount(f"{number}{suffix}") == number * factor
    assert same_amount(f"{number}{suffix}", format(Decimal(number) * factor, "f"))
