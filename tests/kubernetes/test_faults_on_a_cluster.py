"""What breaks during a release on a cluster ends in one slot that row, selector, branch and pods name."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.cluster.standing import Standing
from tests.faults.scenarios import POINTS, Scenarios
from tests.harness.releases import other_release
from tests.kubernetes import good_releases, growing
from tests.kubernetes.cluster_installation import ENVIRONMENT, ClusterInstallation
from tests.kubernetes.draining import Draining
from tests.kubernetes.following import Follower
from tests.kubernetes.growing import ready
from tests.kubernetes.service_load import account, loaded
from tests.kubernetes.thorough import cases
from tests.kubernetes.trouble_on_a_cluster import frozen, restart_api_server
from tests.load.accounts import two_holders

SAYS_MOST = (
    "stage.stage:after",
    "switch.handover:after",
    "switch.traffic:before",
    "confirm.confirm:after",
    "return.traffic-back:before",
)
"""Where the cluster was changed and nobody wrote it down."""
CONVERGES_SECONDS = 150.0
AWAY_SECONDS = 8.0
RESTARTED = "the API server is started again"


@pytest.fixture(scope="module")
def pair(released: ClusterInstallation) -> ClusterInstallation:
    good_releases.pair(released)
    return released


@pytest.fixture
def at_rest(pair: ClusterInstallation) -> ClusterInstallation:
    good_releases.settle(pair)
    return pair


@pytest.fixture(scope="module")
def scenarios(pair: ClusterInstallation) -> Scenarios:
    good_releases.settle(pair)
    return Scenarios(pair, ENVIRONMENT, CONVERGES_SECONDS)


@pytest.mark.parametrize("point", cases(POINTS, SAYS_MOST))
def test_a_controller_killed_at_a_durable_effect_is_followed_by_one_that_ends_it(
    released: ClusterInstallation, scenarios: Scenarios, point: str
) -> None:
    with loaded(released, rate=20, order_share=1.0, repeat_orders=True) as orders:
        assert scenarios.run(point) < CONVERGES_SECONDS
    counted = account(released, orders)
    assert counted.right, counted
    assert not two_holders(released.database_uri(ENVIRONMENT))


def test_deleted_pods_of_the_active_slot_come_back(at_rest: ClusterInstallation) -> None:
    before = at_rest.agreement(ENVIRONMENT).look()
    chosen = f"slipway.dev/slot={before.slot}"
    old = {pod["metadata"]["uid"] for pod in at_rest.objects("pods", chosen)}
    at_rest.kubectl("delete", "pods", "--selector", chosen, "--wait=false")
    at_rest.cluster.until(
        "other pods are ready", lambda: len(ready(at_rest, chosen) - old) >= len(old), 120
    )
    at_rest.agreement(ENVIRONMENT).wait(CONVERGES_SECONDS, release=before.release)
    assert at_rest.selected() == before.slot


def trouble(name: str) -> Callable[[Standing], None]:
    def freeze(cluster: Standing) -> None:
        with frozen(cluster, "etcd"):
            time.sleep(AWAY_SECONDS)

    def restart(cluster: Standing) -> None:
        restart_api_server(cluster, AWAY_SECONDS)

    return {"etcd is frozen": freeze, RESTARTED: restart}[name]


@pytest.mark.parametrize("name", ["etcd is frozen", RESTARTED])
def test_nobody_notices_that_a_control_plane_was_away_in_a_release(
    at_rest: ClusterInstallation, name: str
) -> None:
    """It gets through; or, where the cluster's controllers ask a new API server again so late (after
    8 to 45 s) that connections do not follow the switch, it is undone and says so."""
    before = at_rest.agreement(ENVIRONMENT).look().release
    other = other_release(at_rest, ENVIRONMENT)
    with Follower(at_rest.address("trading")) as follower:
        asked = at_rest.start("promote", ENVIRONMENT, other, "--reason", name)
        try:
            at_rest.cluster.until("it is under way", lambda: under_way(at_rest, other), 90)
            trouble(name)(at_rest.cluster)
            said = asked.communicate(timeout=CONVERGES_SECONDS)
        finally:
            asked.kill()
            asked.wait()
        late = name == RESTARTED and "new connections still reach" in said[0]
        assert asked.returncode == (4 if late else 0), said
        serves = before if late else other
        at_rest.agreement(ENVIRONMENT).wait(CONVERGES_SECONDS, release=serves)
    assert not follower.failures
    assert follower.seen
    if late:
        at_rest.ok("unhold", ENVIRONMENT, other, "--reason", "it was the cluster")


def under_way(made: ClusterInstallation, release: str) -> bool:
    """Past the guard, which refuses where the cluster is away, as does a command that only asks."""
    newest = made.ok("history", ENVIRONMENT, "--limit", "1")["operations"][0]
    guarded = any(one["name"] == "guard" and one["status"] == "done" for one in newest["steps"])
    return guarded and bool((newest["release"], newest["result"]) == (release, "running"))


def test_evicting_what_serves_waits_for_its_successor(at_rest: ClusterInstallation) -> None:
    slot, release = at_rest.selected(), at_rest.agreement(ENVIRONMENT).look().release
    name = f"deployment/trading-{slot}-api"
    at_rest.kubectl("scale", name, "--replicas=2")
    try:
        at_rest.kubectl("rollout", "status", name, "--timeout=90s", seconds=100)
        with loaded(at_rest, rate=40) as load, Draining(at_rest, release) as drain:
            time.sleep(3.0)
            assert not drain.done.is_set(), "nothing kept the last pod where no other was ready"
            drain.let_start()
            assert drain.done.wait(120)
        assert load.cut_off == 0, load.problems
    finally:
        at_rest.kubectl("scale", name, "--replicas=1")
    at_rest.agreement(ENVIRONMENT).wait(CONVERGES_SECONDS, release=release)
    assert at_rest.selected() == slot


def test_load_brings_one_more_replica_and_rest_takes_it_away(at_rest: ClusterInstallation) -> None:
    before = at_rest.agreement(ENVIRONMENT).look().release
    growing.release(at_rest)
    assert growing.one_more(at_rest) < growing.LONGEST_SECONDS
    growing.until_one(at_rest)
    good_releases.settle(at_rest, before)
