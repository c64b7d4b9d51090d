"""kill -9 of the acting process before and after every durable effect of the step table.

The list is generated: an effect that no scenario reaches leaves its failpoint armed, which fails
the test of that effect.
"""

from __future__ import annotations

import pytest

from pipelines.model.steps import effects
from tests.faults.scenarios import POINTS, Scenarios
from tests.harness.installation import Installation
from tests.load.accounts import settle
from tests.load.orders import Orders

CONVERGES_SECONDS = 60.0


@pytest.fixture(scope="module")
def scenarios(installation: Installation) -> Scenarios:
    return Scenarios(installation, "dev")


@pytest.fixture(scope="module")
def orders(installation: Installation, scenarios: Scenarios):  # type: ignore[no-untyped-def]
    load = Orders(installation.port("dev"), installation.token)
    load.start()
    yield load
    load.stop()
    installation.agreement("dev").wait(CONVERGES_SECONDS)
    account = settle(
        load.acknowledged,
        installation.port("dev", 3),
        installation.token,
        installation.database_uri("dev"),
    )
    assert account.right, account


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_a_durable_effect_ends_in_one_active_slot(
    scenarios: Scenarios, orders: Orders, point: str
) -> None:
    orders.wait_for_rate()
    converged = scenarios.run(point)
    assert converged < CONVERGES_SECONDS


def test_every_effect_has_a_scenario() -> None:
    missing = [effect for effect in effects() if Scenarios.kind_of(effect) is None]
    assert not missing
