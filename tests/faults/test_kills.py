"""No order is lost or doubled, whatever dies."""

from __future__ import annotations

import pytest

from tests.faults import kills
from tests.faults.kills import Outcome
from tests.harness.installation import Installation
from tests.harness.releases import two_releases

KILLS = 20


@pytest.fixture(scope="module")
def outcome(installation: Installation) -> Outcome:
    for release in two_releases(installation):
        answer = installation.promote("dev", release)
        assert answer.code == 0, str(answer)
    return kills.run(installation, KILLS)


@pytest.mark.timeout(1200)
def test_after_every_kill_branch_row_and_live_agree_within_a_minute(outcome: Outcome) -> None:
    assert len(outcome.convergence_seconds) == KILLS
    assert outcome.slowest_seconds < 60


def test_orders_flowed_and_rested_at_every_kill(outcome: Outcome) -> None:
    assert min(outcome.rates) >= 20
    assert min(outcome.resting) >= 5


def test_every_kind_of_process_was_killed(outcome: Outcome) -> None:
    assert set(outcome.kills) == {"postgres", "supervisor", "controller", "api", "trader", "venue"}


def test_no_acknowledged_order_is_lost_or_doubled_in_the_book_of_the_venue(
    outcome: Outcome,
) -> None:
    assert outcome.account is not None
    assert outcome.account.acknowledged > KILLS * 20
    assert not outcome.account.lost
    assert not outcome.account.doubled


def test_the_ledger_equals_the_venue(outcome: Outcome) -> None:
    assert outcome.account is not None
    assert not outcome.account.different


def test_the_audit_is_whole_and_the_lease_never_had_two_holders(outcome: Outcome) -> None:
    assert outcome.audit_whole
    assert not outcome.two_holders
