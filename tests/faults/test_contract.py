"""A contract migration: after the window, printing what it closes, and no way back beyond it."""

from __future__ import annotations

from tests.harness.installation import Installation
from tests.harness.releases import forget, two_releases
from tests.planted.edits import both, harmless, migration

CONTRACT = both(
    migration("drop index trading.backtests_created", "select 1", kind="contract"),
    harmless("contract"),
)


def test_a_contract_migration_closes_the_way_back_and_says_so(installation: Installation) -> None:
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
    forget(installation)
