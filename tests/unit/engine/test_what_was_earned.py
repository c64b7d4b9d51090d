"""Of which commits nothing is demanded, and what findings mean to the guard."""

from __future__ import annotations

import pytest

from pipelines.engine.earned import exempt, verdict
from pipelines.model.branch import BranchState
from pipelines.model.check import Finding
from pipelines.model.slots import Slot

RAN = {"promotion-1": "r-old", "promotion-2": "r-new"}


def state(kind: str, operation: str = "promotion-9") -> BranchState:
    slots = {Slot.BLUE: None, Slot.GREEN: None}
    return BranchState("staging", Slot.BLUE, slots, (), kind, "", "ada", operation, "", "")


@pytest.mark.parametrize(
    ("kind", "operation", "release", "first", "free"),
    [
        ("promotion", "promotion-9", "r-other", False, False),
        ("promotion", "promotion-9", "r-old", False, False),  # asked anew: earned anew
        ("promotion", "promotion-1", "r-old", False, True),  # a restore does it again
        ("promotion", "promotion-1", "r-other", False, False),  # a name borrowed
        ("bootstrap", "bootstrap-1", "r-other", True, True),
        ("bootstrap", "bootstrap-1", "r-other", False, False),  # a word is not enough
        ("rollback", "rollback-1", "r-old", False, True),
        ("rollback", "rollback-1", "r-other", False, False),
        ("hold", "promotion-9", "r-new", False, True),
        ("unhold", "promotion-9", "r-other", False, False),
        ("", "", "r-old", False, False),
    ],
)
def test_only_what_came_here_before_is_free(
    kind: str, operation: str, release: str, first: bool, free: bool
) -> None:
    assert bool(exempt(state(kind, operation), release, first=first, ran=RAN)) is free


def test_every_error_is_a_refusal_with_what_to_type() -> None:
    findings = [
        Finding("promotion", "no check of stage security", hint="slipway check"),
        Finding("promotion", "old", severity="warning"),
        Finding("promotion", "no soak in staging", hint="slipway promote staging"),
    ]
    assert [(c.ok, c.message) for c in verdict("promotion", findings)] == [
        (False, "no check of stage security; slipway check"),
        (False, "no soak in staging; slipway promote staging"),
    ]


def test_warnings_alone_stop_nothing_and_are_told() -> None:
    [check] = verdict("promotion", [Finding("promotion", "odd", severity="warning")])
    assert (check.ok, check.message) == (True, "odd")
    assert verdict("promotion", [])[0].ok
