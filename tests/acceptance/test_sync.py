"""What was changed by hand is planned, mended and written into the audit by one list."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.harness.installation import Installation


@pytest.fixture
def alone(installation: Installation) -> Iterator[Installation]:
    """The controller of dev sleeps, so that the command has something left to do."""
    controllers = [p for p in installation.processes("dev") if p.role == "controller"]
    assert controllers
    for process in controllers:
        process.kill(signal.SIGSTOP)
    yield installation
    for process in controllers:
        process.kill(signal.SIGCONT)


def test_a_value_changed_by_hand_is_planned_and_mended_and_audited(alone: Installation) -> None:
    slot = alone.agreement("dev").row()["slot"]
    found = sorted((alone.state / "environments" / "dev" / "slots").glob(f"{slot}/values.yaml"))
    assert len(found) == 1
    values = found[0]
    right = values.read_text()
    assert alone.ok("sync", "dev", "--dry-run")["items"] == []
    values.write_text(right + "# changed by hand\n")
    plan = alone.ok("sync", "dev", "--dry-run")
    assert any("values.yaml was changed by hand" in item["change"] for item in plan["items"])
    assert values.read_text() != right
    done = alone.ok("sync", "dev")
    assert [i["change"] for i in done["plan"]["items"]] == [i["change"] for i in plan["items"]]
    assert values.read_text() == right
    assert "changed by hand" in alone.run("audit", "show", "dev").text
    alone.agreement("dev").wait(30)
    assert alone.ok("sync", "dev", "--dry-run")["items"] == []
