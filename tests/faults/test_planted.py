"""A bad build returns to the old slot by itself, is held, and says what to look at."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.installation import Installation, git
from tests.harness.releases import two_releases
from tests.planted.builds import BUILDS, BadBuild

ENVIRONMENT = "staging"  # the default soak of 30 s: half of the builds are only caught in it


@pytest.fixture(scope="module")
def ready(installation: Installation) -> Installation:
    """Staging has a warm old slot, so that every return has somewhere to go."""
    for release in two_releases(installation):
        assert installation.promote(ENVIRONMENT, release).code == 0
    return installation


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_a_bad_build_is_caught_by_its_gate_and_undone_within_a_minute(
    ready: Installation, build: BadBuild
) -> None:
    agreement = ready.agreement(ENVIRONMENT)
    before = agreement.look()
    assert not before.troubles
    head = git(ready.checkout, "rev-parse", "HEAD")
    try:
        release = ready.release(build.edit, f"Plant: {build.name}")
        answer = ready.promote(ENVIRONMENT, release)
        assert answer.code == 4, str(answer)
        agreement.wait(15, release=before.release)
        after = agreement.look()
        assert (after.slot, after.release) == (before.slot, before.release)
        assert failed_steps(ready)[-1] == build.gate, str(answer)
        assert all(word in answer.text for word in (*build.words, "slipway")), answer.text
        assert return_seconds(ready) < 60
        assert release in held(agreement.branch())
        again = ready.promote(ENVIRONMENT, release)
        assert again.code == 1, str(again)
        assert "held" in again.text
    finally:
        git(ready.checkout, "reset", "--quiet", "--hard", head)


def held(branch: dict[str, Any]) -> list[str]:
    return [hold["release"] for hold in branch["holds"]]


def newest(installation: Installation) -> dict[str, Any]:
    """The last operation of the environment, from its journal."""
    history = installation.ok("history", ENVIRONMENT)
    operations = history["operations"] if isinstance(history, dict) else history
    return dict(operations[0])


def failed_steps(installation: Installation) -> list[str]:
    return [step["name"] for step in newest(installation)["steps"] if step["status"] == "failed"]


def return_seconds(installation: Installation) -> float:
    """From the start of verify (or of migrate, when it never came so far) to the end."""
    operation = newest(installation)
    steps = {step["name"]: step["seconds"] for step in operation["steps"]}
    before_verify = sum(steps.get(name, 0.0) for name in ("guard", "backup", "migrate", "stage"))
    return float(operation["seconds"]) - float(before_verify)
