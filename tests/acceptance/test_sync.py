"""What was changed by hand is planned, mended and written into the audit by one list."""

from __future__ import annotations

import json
import signal
import time

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


def test_with_watch_it_goes_on_until_ctrl_c(installation: Installation) -> None:
    slot = installation.agreement("dev").row()["slot"]
    values = installation.state / "environments" / "dev" / "slots" / slot / "values.yaml"
    right = values.read_text()
    watching = installation.start("sync", "dev", "--watch")
    try:
        assert watching.stdout
        first = watching.stdout.readline()  # it has looked once
        with asleep(controllers(installation, "dev")):
            values.write_text(right + "# changed while it watches\n")
            time.sleep(6)  # it looks again, and waits for the controller
            assert watching.poll() is None
        wait_for("it is mended", lambda: values.read_text() == right, 30)
        watching.send_signal(signal.SIGINT)
        out, err = watching.communicate(timeout=30)
    finally:
        watching.kill()
        watching.wait()
    assert watching.returncode == 130, err
    assert "Traceback" not in err
    assert "values.yaml was changed by hand" in first + out
