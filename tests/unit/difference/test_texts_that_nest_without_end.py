"""JSON inside an object, written by whoever may write to it, is read as none where it cannot be."""

from __future__ import annotations

import pytest

from pipelines.engine.difference import owners, rules
from pipelines.engine.difference.applied import last_applied

DEEP = "[" * 100_000


def test_of_last_applied_nothing_is_known() -> None:
    live = {"metadata": {"annotations": {rules.LAST_APPLIED: '{"spec": ' + DEEP}}}
    assert last_applied(live) == {}


@pytest.mark.parametrize("step", ["k:" + DEEP, "k:", "k:[1]"])
def test_a_key_of_a_managed_list_names_no_element(step: str) -> None:
    assert owners.key_object(step) is None
    assert not owners.names_element(step, {"name": "web"})


def test_a_member_of_a_managed_set_is_no_member() -> None:
    assert not owners.is_member("v:" + DEEP, "x")
