"""A rollback that would change nothing is refused."""

from __future__ import annotations

import json

from tests.harness.installation import Installation
from tests.harness.releases import two_releases
from tests.harness.trouble import asleep, controllers


def test_a_rollback_between_two_equal_slots_is_refused_and_changes_nothing(
    installation: Installation,
) -> None:
    agreement = installation.agreement("dev")
    for release in two_releases(installation):
        assert installation.promote("dev", release).code == 0
    row, branch = agreement.row(), agreement.branch()
    idle = "green" if row["slot"] == "blue" else "blue"
    record = installation.state / "environments" / "dev" / "slots" / idle / "slot.json"
    right = record.read_text()
    with asleep(controllers(installation, "dev")):
        record.write_text(json.dumps(json.loads(right) | {"release": row["release"]}))
        try:
            answer = installation.run("rollback", "dev", "--reason", "both are equal")
        finally:
            record.write_text(right)
    assert answer.code == 1, str(answer)
    assert f"both slots of dev hold {row['release']}" in answer.text
    assert (agreement.row(), agreement.branch()) == (row, branch)
    agreement.wait(30, release=row["release"])
