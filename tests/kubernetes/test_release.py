"""A release by Slipway's own controller on a real cluster, as people make it, under load."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext

import pytest

from tests.harness.trouble import origin_away
from tests.kubernetes import good_releases
from tests.kubernetes.cluster_installation import ENVIRONMENT, REPOSITORY, ClusterInstallation
from tests.kubernetes.following import Follower
from tests.kubernetes.service_load import account, loaded
from tests.kubernetes.thorough import cases
from tests.kubernetes.trouble_on_a_cluster import kill_processes
from tests.load.accounts import two_holders
from tests.planted.builds import BUILDS, ERRORS, OLD_CODE, BadBuild
from tests.planted.edits import harmless
from tests.support.pod_security import violations

SAY_MOST = ("crash at start", "verify fails", "5 % errors after the switch")
ON_A_CLUSTER = [build for build in BUILDS if build.edit is not OLD_CODE]
"""An image holds one release; what answers to that one is an image of another name."""
SOAK_SECONDS = 30.0
SWITCHES = 3
MOST_RELEASE_SECONDS = 180.0
MOST_ROLLBACK_SECONDS = 10.0
"""Both on a machine that does other things too; the bench holds the figures."""


@pytest.fixture
def at_rest(released: ClusterInstallation) -> ClusterInstallation:
    """Two good releases, one of them active, nothing under way."""
    good_releases.pair(released)
    good_releases.settle(released)
    return released


def test_switches_under_load_fail_no_request_and_lose_no_order(
    at_rest: ClusterInstallation,
) -> None:
    with loaded(at_rest) as load:
        for _ in range(SWITCHES):
            answer = good_releases.switch(at_rest)
            assert answer.seconds < MOST_RELEASE_SECONDS
            time.sleep(1)
    assert load.cut_off == 0, load.problems
    assert load.requests > 1000
    counted = account(at_rest, load)
    assert counted.right, counted
    assert counted.acknowledged > 100
    assert not two_holders(at_rest.database_uri(ENVIRONMENT))


def test_the_same_clients_notice_a_slot_that_ends_before_its_successor_has_the_traffic(
    at_rest: ClusterInstallation,
) -> None:
    with loaded(at_rest) as load:
        pods = at_rest.objects("pods", f"slipway.dev/slot={at_rest.selected()}")
        assert kill_processes(at_rest.cluster, [pod["metadata"]["name"] for pod in pods])
        good_releases.switch(at_rest)
    assert load.cut_off > 0
    assert at_rest.agreement(ENVIRONMENT).wait(good_releases.SETTLES_SECONDS)


@pytest.mark.parametrize("build", cases(ON_A_CLUSTER, SAY_MOST, lambda build: build.name))
def test_a_bad_build_is_undone_and_held_while_the_old_release_serves(
    at_rest: ClusterInstallation, build: BadBuild
) -> None:
    before, slots = at_rest.agreement(ENVIRONMENT).look(), at_rest.agreement(ENVIRONMENT).branch()
    with at_rest.put_back():
        bad = at_rest.release(build.edit, f"Plant: {build.name}")
    longer = build.switches and build.name not in SAY_MOST
    with (
        at_rest.soaking(ENVIRONMENT, SOAK_SECONDS) if longer else nullcontext(),
        Follower(at_rest.address("trading")) as follower,
    ):
        answer = at_rest.promote(ENVIRONMENT, bad)
    assert answer.code == 4, str(answer)
    assert all(word in answer.text for word in build.words), answer.text
    at_rest.agreement(ENVIRONMENT).wait(good_releases.SETTLES_SECONDS, release=before.release)
    branch = at_rest.agreement(ENVIRONMENT).branch()
    assert branch["slots"] == slots["slots"]
    assert [hold["release"] for hold in branch["holds"]] == [bad]
    operation = at_rest.ok("history", ENVIRONMENT)["operations"][0]
    failed = [step["name"] for step in operation["steps"] if step["status"] == "failed"]
    assert failed[-1] == build.gate
    own = {"planted: one request in twenty fails"} if build.edit is ERRORS else set()
    assert {*follower.failures} <= own
    reached = {release for _, _, release in follower.seen}
    assert reached == {before.release} | ({bad} if build.switches else set())
    again = at_rest.promote(ENVIRONMENT, bad)
    assert again.code == 1
    assert "held" in again.text


def without_image(made: ClusterInstallation, mark: str) -> str:
    """A release that nobody made an image of."""
    with made.put_back():
        made.commit(harmless(mark), f"A release with {mark}")
        return str(made.ok("build")["release"])


def test_an_image_with_the_code_of_another_release_is_refused_by_verify(
    at_rest: ClusterInstallation,
) -> None:
    """Of one machine the same happens by a process that is started from an older release."""
    before = at_rest.agreement(ENVIRONMENT).look()
    wrong = without_image(at_rest, "the image of another")
    at_rest.name_image(wrong, of=before.release)
    answer = at_rest.promote(ENVIRONMENT, wrong)
    assert answer.code == 4, str(answer)
    assert "process trader" in answer.text, answer.text
    assert f"runs release {wrong} with code" in answer.text, answer.text
    at_rest.agreement(ENVIRONMENT).wait(good_releases.SETTLES_SECONDS, release=before.release)


def test_a_release_without_an_image_is_refused_before_anything_is_staged(
    at_rest: ClusterInstallation,
) -> None:
    before = at_rest.agreement(ENVIRONMENT).branch()
    missing = without_image(at_rest, "no image")
    answer = at_rest.promote(ENVIRONMENT, missing)
    assert answer.code == 5, str(answer)
    assert f"slipway image {missing} --repository {REPOSITORY}" in answer.text
    assert at_rest.agreement(ENVIRONMENT).branch() == before


def test_a_rollback_is_one_command_and_takes_code_and_settings_back(
    at_rest: ClusterInstallation,
) -> None:
    first, second = good_releases.pair(at_rest)
    good_releases.settle(at_rest, first)
    good_releases.settle(at_rest, second)
    assert fast(at_rest) == good_releases.FAST["other"]
    with Follower(at_rest.address("trading")) as follower:
        begun = time.monotonic()
        at_rest.ok("rollback", ENVIRONMENT, "--reason", "a test")
        time.sleep(0.5)
    assert follower.last_of(second) - begun < MOST_ROLLBACK_SECONDS
    assert not follower.failures
    at_rest.agreement(ENVIRONMENT).wait(good_releases.SETTLES_SECONDS, release=first)
    assert fast(at_rest) == good_releases.FAST["one"]
    held = [hold["release"] for hold in at_rest.agreement(ENVIRONMENT).branch()["holds"]]
    assert held == [second]


def test_a_rollback_needs_no_git(at_rest: ClusterInstallation) -> None:
    first, second = good_releases.pair(at_rest)
    good_releases.settle(at_rest, first)
    good_releases.settle(at_rest, second)
    with origin_away(at_rest):
        at_rest.ok("rollback", ENVIRONMENT, "--reason", "git is away")
        assert at_rest.agreement(ENVIRONMENT).version()["release"] == first
        assert at_rest.agreement(ENVIRONMENT).row()["release"] == first
        time.sleep(2)
        assert at_rest.agreement(ENVIRONMENT).version()["release"] == first
    at_rest.agreement(ENVIRONMENT).wait(good_releases.SETTLES_SECONDS, release=first)


def test_people_see_what_runs_what_would_change_and_what_was_said(
    at_rest: ClusterInstallation,
) -> None:
    active = at_rest.agreement(ENVIRONMENT).row()
    status = at_rest.run("status", ENVIRONMENT, as_json=False)
    assert status.code == 0
    assert str(active["release"]) in status.out
    assert at_rest.run("sync", ENVIRONMENT, "--dry-run").code == 0
    assert at_rest.run("diff", ENVIRONMENT).code == 0
    logs = at_rest.run("logs", ENVIRONMENT, "--slot", str(active["slot"]), as_json=False)
    assert logs.code == 0
    assert f"trading-{active['slot']}-api" in logs.out


def test_every_pod_keeps_the_restricted_standard_and_none_was_refused(
    at_rest: ClusterInstallation,
) -> None:
    pods = at_rest.objects("pods")
    assert len(pods) >= 4
    for pod in pods:
        assert not violations(pod["spec"]), pod["metadata"]["name"]
    refused = [
        one["message"] for one in at_rest.objects("events") if one["reason"] == "FailedCreate"
    ]
    assert not refused


def fast(made: ClusterInstallation) -> int:
    """What the pods of the active slot have mounted."""
    (deployment,) = made.objects(
        "deployments", f"slipway.dev/slot={made.selected()},app.kubernetes.io/component=trader"
    )
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    (name,) = [one["configMap"]["name"] for one in volumes if "configMap" in one]
    mounted = json.loads(made.kubectl("get", "configmap", name, "--output", "json"))["data"]
    values = json.loads(mounted["values.yaml"])
    return int(values["trading"]["strategies"]["sma-cross"]["parameters"]["fast"])
