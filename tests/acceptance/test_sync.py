"""What was changed by hand is planned, mended and written into the audit by one list."""

from __future__ import annotations

import json
import signal
import time
from contextlib import suppress
from pathlib import Path

from tests.harness.installation import Installation
from tests.harness.orders import wait_for
from tests.harness.trouble import asleep, controllers


def test_a_value_changed_by_hand_is_planned_and_mended_and_audited(
    installation: Installation,
) -> None:
    slot = installation.agreement("dev").row()["slot"]
    slots = installation.state / "environments" / "dev" / "slots"
    (values,) = slots.glob(f"{slot}/values.yaml")
    right = values.read_text()
    assert installation.ok("sync", "dev", "--dry-run")["items"] == []
    with asleep(controllers(installation, "dev")):
        values.write_text(right + "# changed by hand\n")
        plan = installation.ok("sync", "dev", "--dry-run")
        assert any("values.yaml was changed by hand" in item["change"] for item in plan["items"])
        assert values.read_text() != right
        asked = installation.start("sync", "dev")
        time.sleep(2)
    out, err = asked.communicate(timeout=90)
    assert asked.returncode == 0, err
    done = json.loads(out)
    assert done["plan"]["items"] == plan["items"]
    assert values.read_text() == right
    assert "changed by hand" in installation.run("audit", "show", "dev").text
    installation.agreement("dev").wait(30)
    assert installation.ok("sync", "dev", "--dry-run")["items"] == []


def test_with_watch_it_goes_on_until_ctrl_c(installation: Installation, tmp_path: Path) -> None:
    slot = installation.agreement("dev").row()["slot"]
    values = installation.state / "environments" / "dev" / "slots" / slot / "values.yaml"
    right = values.read_text()
    said = tmp_path / "said"
    watching = installation.start("sync", "dev", "--watch", into=said)
    try:
        wait_for("it has looked once", lambda: said.read_text() != "", 60)
        for _ in range(5):  # a controller that wakes may mend it before it is looked at
            with asleep(controllers(installation, "dev")):
                values.write_text(right + "# changed while it watches\n")
                time.sleep(6)  # it looks again; where the controller has the lock, it waits
                assert watching.poll() is None
            wait_for("it is mended", lambda: values.read_text() == right, 60)
            with suppress(AssertionError):
                wait_for("it is told", lambda: "changed by hand" in said.read_text(), 5)
                break
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 130, said.read_text()
    finally:
        watching.kill()
        watching.wait()
    assert "Traceback" not in said.read_text()
    assert "values.yaml was changed by hand" in said.read_text()
