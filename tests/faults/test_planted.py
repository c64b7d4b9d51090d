"""A bad build returns to the old slot by itself, is held, and says what to look at."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.installation import Installation
from tests.planted.builds import BUILDS, BadBuild

SOAKS = "staging"  # the default soak of 30 s: four builds are only caught in it
AT_ONCE = "dev"


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_a_bad_build_is_caught_by_its_gate_and_undone_within_a_minute(
    installation: Installation, build: BadBuild
) -> None:
    environment = SOAKS if build.switches else AT_ONCE
    agreement = installation.agreement(environment)
    before = agreement.look()
    assert not before.troubles
    slots = agreement.branch()["slots"]
    with installation.put_back():
        release = installation.release(build.edit, f"Plant: {build.name}")
        answer = installation.promote(environment, release)
        assert answer.code == 4, str(answer)
        agreement.wait(15, release=before.release)
        after = agreement.look()
        assert (after.slot, after.release) == (before.slot, before.release)
        assert agreement.branch()["slots"] == slots  # the idle one too: its former occupant
        operation = installation.ok("history", environment)["operations"][0]
        assert failed_steps(operation)[-1] == build.gate, str(answer)
        assert all(word in answer.text for word in (*build.words, "slipway")), answer.text
        assert return_seconds(operation) < 60
        assert release in held(agreement.branch())
        again = installation.promote(environment, release)
        assert again.code == 1, str(again)
        assert "held" in again.text


def held(branch: dict[str, Any]) -> list[str]:
    return [hold["release"] for hold in branch["holds"]]


def failed_steps(operation: dict[str, Any]) -> list[str]:
    return [step["name"] for step in operation["steps"] if step["status"] == "failed"]


def return_seconds(operation: dict[str, Any]) -> float:
    """From the start of verify (or of migrate, when it never came so far) to the end."""
    steps = {step["name"]: step["seconds"] for step in operation["steps"]}
    before_verify = sum(steps.get(name, 0.0) for name in ("guard", "backup", "migrate", "stage"))
    return float(operation["seconds"]) - float(before_verify)
