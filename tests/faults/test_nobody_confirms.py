"""A switch that nobody confirms in time is taken back by whoever looks next."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime

from tests.harness.installation import Installation
from tests.harness.releases import other_release
from tests.harness.steps import wait_for_step
from tests.harness.trouble import asleep, controllers


def test_a_switch_that_nobody_confirmed_in_time_is_taken_back(installation: Installation) -> None:
    agreement = installation.agreement("staging")
    agreement.wait(60)
    before = agreement.row()
    release = other_release(installation, "staging")
    asked = installation.start("promote", "staging", release, "--reason", "nobody will confirm")
    try:
        wait_for_step(installation, "staging", "analyse")
        asked.send_signal(signal.SIGSTOP)  # it would do what no controller does
        with asleep(controllers(installation)):
            row = agreement.row()
            assert (row["release"], row["state"]) == (release, "provisional")
            left = (row["confirm_by"] - datetime.now(UTC)).total_seconds()
            assert left > 0
            time.sleep(left + 1)
            assert agreement.row()["state"] == "provisional"
        asked.send_signal(signal.SIGCONT)
        said, errors = asked.communicate(timeout=120)
    finally:
        asked.kill()
        asked.wait()
    assert asked.returncode == 4, said + errors
    agreement.wait(60, release=before["release"])
    assert agreement.row()["slot"] == before["slot"]
    assert release in [hold["release"] for hold in agreement.branch()["holds"]]
    installation.run("unhold", "staging", release, "--reason", "test is over")
