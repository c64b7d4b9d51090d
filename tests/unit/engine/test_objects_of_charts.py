"""Rendered text as objects: what differs is told object by object, and no secret is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.chart_objects import HIDDEN, hidden, holds_secret, objects, text_difference
from pipelines.model.errors import BadInput
from pipelines.model.resource import Resource

NAMES = ("active", "candidate")


def _object(kind: str = "ConfigMap", name: str = "one", **rest: Any) -> Resource:
    return Resource({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **rest})


def test_an_object_of_two_files_is_refused_by_both_names() -> None:
    text = json.dumps(dict(_object().manifest))
    with pytest.raises(BadInput, match="there twice, first in slots/blue") as refused:
        objects({"slots/blue/manifests.yaml": text, "edge/manifests.yaml": text})
    assert "edge/manifests.yaml" in refused.value.message


def test_what_came_what_went_and_what_changed_are_told_apart() -> None:
    old = [_object(name="gone"), _object(name="same", data={"a": "1"}), _object(data={"a": "1"})]
    new = [
        _object(name="same", data={"a": "1"}),
        _object(data={"a": "2"}),
        _object("Service", "new"),
    ]
    found = text_difference(old, new, NAMES)
    assert "--- active: ConfigMap gone\n+++ /dev/null\n" in found
    assert "--- /dev/null\n+++ candidate: Service new\n" in found
    assert "-  a: '1'\n+  a: '2'\n" in found
    assert "same" not in found


def test_kinds_of_one_name_in_two_groups_are_two_objects() -> None:
    gateways = [
        Resource({"apiVersion": f"{group}/v1", "kind": "Gateway", "metadata": {"name": "x"}})
        for group in ("a.example.com", "b.example.com")
    ]
    assert text_difference(gateways, gateways[:1], NAMES).count("+++ /dev/null") == 1


def test_a_secret_is_never_shown_and_that_it_changed_is() -> None:
    old = _object("Secret", data={"token": "b2xkLXRva2Vu", "kept": "a2VwdA=="})
    new = _object("Secret", data={"token": "bmV3LXRva2Vu", "kept": "a2VwdA=="})
    found = text_difference([old], [new], NAMES)
    assert not any(value in found for one in (old, new) for value in one.manifest["data"].values())
    assert f"+  token: '{HIDDEN} (changed)'" in found
    assert f" kept: '{HIDDEN}'" in found
    assert holds_secret(new)
    assert not holds_secret(_object("Secret"))


_VALUES = st.dictionaries(st.sampled_from("abc"), st.text(min_size=4, max_size=9), max_size=3)


@given(_VALUES, _VALUES)
def test_hiding_keeps_the_keys_and_none_of_the_values(
    old: dict[str, str], new: dict[str, str]
) -> None:
    one, other = ({"kind": "Secret", "stringData": values} for values in (old, new))
    masked = hidden(other, one)["stringData"]
    assert masked.keys() == new.keys()
    for key, text in masked.items():
        assert text.startswith(HIDDEN)
        assert text.endswith("(changed)") is (key in old and old[key] != new[key])


@given(_VALUES, _VALUES)
def test_nothing_is_told_exactly_when_nothing_differs(
    old: dict[str, str], new: dict[str, str]
) -> None:
    found = text_difference([_object(data=old)], [_object(data=new)], NAMES)
    assert (found == "") is (old == new)
