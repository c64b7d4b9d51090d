"""A contract migration: after the window, printing what it closes, and no way back beyond it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.fixtures import another
from tests.harness.installation import Installation
from tests.harness.releases import two_releases
from tests.planted.edits import both, harmless, migration

CONTRACT = both(
    migration("drop index trading.backtests_created", "select 1", kind="contract"),
    harmless("contract"),
)


@pytest.fixture
def fresh(installation: Installation) -> Iterator[Installation]:
    with another(installation) as made:
        yield made


def test_a_contract_migration_closes_the_way_back_and_says_so(fresh: Installation) -> None:
    installation = fresh
    older, _ = two_releases(installation)
    assert installation.promote("dev", older).code == 0
    newer = installation.release(CONTRACT, "Drop what only older releases need")
    assert installation.promote("dev", newer).code == 0

    early = installation.run("migrate", "contract", "dev", "--reason", "a test", "--yes")
    assert early.code == 1, str(early)
    assert "rollback window is open" in early.text

    arguments = ("migrate", "contract", "dev", "--early", "--reason", "a test", "--yes")
    plan = installation.ok(*arguments, "--dry-run")
    assert older in str(plan)
    done = installation.ok(*arguments)
    assert older in done["done"]

    back = installation.run("rollback", "dev", "--reason", "beyond the contract")
    assert back.code == 1, str(back)
    assert "closed by a contract migration" in back.text
    assert "slipway restore dev" in back.text
    installation.agreement("dev").wait(60)

    again = installation.run("promote", "dev", older, "--reason", "beyond the contract")
    assert again.code == 1, str(again)
    assert "lacks" in again.text

    expanding = both(migration("select 1"), harmless("after a contract"))
    next_one = installation.release(expanding, "Expand after the contract")
    assert installation.promote("dev", next_one).code == 0
    blocked = installation.promote("staging", next_one)
    assert blocked.code == 1, str(blocked)
    assert "slipway migrate contract staging" in blocked.text
