"""What people read when the API server says no."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.adapters.kubernetes.refusals import LONGEST_MESSAGE, refusal


def said(reason: str, message: str, status: int = 422, **details: Any) -> tuple[str, str]:
    body = {"kind": "Status", "reason": reason, "message": message, "details": details}
    error = refusal("apply Job shop/work", status, json.dumps(body).encode())
    return error.message, error.hint


def test_a_missing_right_becomes_a_rule_to_add() -> None:
    words = 'jobs.batch "work" is forbidden: User "x" cannot patch resource "jobs" in API group '
    _, hint = said("Forbidden", words + '"batch" in the namespace "shop"', 403)
    assert hint == "give the identity the right to patch jobs.batch in its Role"


def test_a_namespace_that_goes_away_is_named_as_the_reason() -> None:
    _, hint = said("Forbidden", "unable to create: namespace shop is being terminated", 403)
    assert "being deleted" in hint


def test_of_a_long_value_the_field_and_the_reason_stay() -> None:
    cause = {
        "field": "spec.template",
        "message": f"Invalid value: {'x' * 5000}: field is immutable",
    }
    message, hint = said("Invalid", "y" * 9000, causes=[cause])
    assert "spec.template" in message
    assert "field is immutable" in message
    assert len(message) < 600
    assert "Replace=true" in hint or "replace" in hint


@pytest.mark.parametrize("body", [b"", b"upstream away", b"[1]", b'{"kind": "Pod"}', b"\xff\xfe"])
def test_an_answer_of_no_known_form_is_still_told(body: bytes) -> None:
    error = refusal("apply Job shop/work", 502, body)
    assert error.reason == "HTTP 502"
    assert error.status == 502
    assert len(error.message) <= LONGEST_MESSAGE + 100
