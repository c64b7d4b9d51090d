"""Whoever changes an environment's settings on `main` has nothing to start again."""

from __future__ import annotations

from tests.harness.installation import Installation
from tests.harness.trouble import controllers
from tests.planted.edits import harmless

SOAK_SECONDS = 6.0


def analysed_seconds(installation: Installation, mark: str) -> float:
    """How long the newest release of dev was under analysis, once it is active."""
    with installation.put_back():
        release = installation.release(harmless(mark), f"Leave {mark}")
    answer = installation.promote("dev", release)
    assert answer.code == 0, str(answer)
    steps = installation.ok("history", "dev")["operations"][0]["steps"]
    (seconds,) = (step["seconds"] for step in steps if step["name"] == "analyse")
    return float(seconds)


def test_a_controller_that_lives_soaks_as_main_says_when_a_release_begins(
    installation: Installation,
) -> None:
    assert analysed_seconds(installation, "before") < SOAK_SECONDS
    (lives,) = controllers(installation, "dev")
    with installation.soaking("dev", SOAK_SECONDS):
        assert analysed_seconds(installation, "meanwhile") >= SOAK_SECONDS
    assert analysed_seconds(installation, "afterwards") < SOAK_SECONDS
    assert [one.pid for one in controllers(installation, "dev")] == [lives.pid]
