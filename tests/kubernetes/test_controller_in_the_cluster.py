"""Releases with `controller: deployment`: Slipway's own syncer in a pod, where Argo CD could be.

Real parts only: a Kubernetes, the engine's image with the account that its chart gives it, PostgreSQL and
venue, an origin behind a login. The tests are one job in order: each goes on where the one before ended.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator

import pytest

from tests.cluster.standing import Standing
from tests.kubernetes.argo_job import RELEASE_SECONDS, Job
from tests.kubernetes.deployed_controller import STATES, Deployed, DeployedTown, deployed
from tests.kubernetes.end_state import TRACKING
from tests.kubernetes.image_shelf import Built
from tests.kubernetes.surroundings import ENVIRONMENT
from tests.kubernetes.watcher import Watcher
from tests.planted import builds, edits

pytestmark = pytest.mark.timeout(1800)

TABLE = "planted_in_a_pod"
ONE = edits.migration(f"create table trading.{TABLE} (n int)", f"drop table trading.{TABLE}")
RELEASES: dict[str, list[edits.Edit]] = {
    "first": [],
    "second": [ONE],
    "unfit": [ONE, builds.VERIFY_FAILS],
}
HEAL_SECONDS = 60.0


@pytest.fixture(scope="module")
def job(
    real_cluster: Standing,
    built_application: Built,
    engine_image: str,
    database_image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Job]:
    folder = tmp_path_factory.mktemp("deployed")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("KUBECONFIG", str(real_cluster.kubeconfig))
        town = DeployedTown(real_cluster, folder, engine_image.rpartition(":")[2])
        try:
            town.settle(RELEASES, whole=built_application[0].name)
            with deployed(town, secrets.token_hex(12)) as apps:
                made = Job(town, apps)
                try:
                    made.bootstrap("first")
                    with made.observer():
                        yield made
                finally:
                    print(apps.log())
        finally:
            town.around.destroy()


@pytest.fixture(scope="module")
def watcher(job: Job) -> Iterator[Watcher]:
    with Watcher(job.town.around.service_address("trading")) as clients:
        yield clients


@pytest.fixture
def apps(job: Job) -> Deployed:
    assert isinstance(job.apps, Deployed)
    return job.apps


def test_the_first_release_is_brought_by_hooks_and_slots(job: Job, apps: Deployed) -> None:
    job.settle()
    assert job.active() == ("first", "blue", "blue")
    ended = {step: status for release, step, status in job.hooks() if release == "first"}
    assert list(ended) == ["guard", "backup", "migrate", "verify", "switch"]
    assert set(ended.values()) <= {"succeeded", "skipped"}
    hook = f"batch/Job {job.town.around.namespace}/trading-blue-switch"
    assert apps.results()[hook] == "Succeeded"
    assert apps.operation()["phase"] == "Succeeded"
    assert apps.operation()["actor"] == "automated"


def test_a_good_release_is_switched_to_though_the_pod_is_lost_in_the_middle(
    job: Job, apps: Deployed, watcher: Watcher
) -> None:
    began, pod = time.monotonic(), apps.pod()
    process = job.town.slipway.start(
        "promote", ENVIRONMENT, job.town.releases["second"], "--reason", "a test"
    )
    job.town.cluster.until(
        "a hook of the release is there", lambda: "trading-green-backup" in _jobs(job), seconds=240
    )
    job.town.around.kubectl("delete", pod, "--wait=false")
    out, err = process.communicate(timeout=RELEASE_SECONDS)
    assert process.returncode == 0, out + err
    job.settle()
    time.sleep(2)
    assert apps.pod() != pod
    assert job.active() == ("second", "green", "green")
    assert watcher.failures(began) == []
    assert set(job.answered(watcher, began)) == {"first", "second"}


def _jobs(job: Job) -> set[str]:
    return {one["metadata"]["name"] for one in job.town.around.get("jobs")["items"]}


def test_a_release_that_fails_verify_answers_nobody_and_is_held(
    job: Job, apps: Deployed, watcher: Watcher
) -> None:
    began = time.monotonic()
    answer = job.promote("unfit")
    assert answer.code == 4, answer
    job.settle()
    assert job.active() == ("second", "green", "green")
    assert set(job.answered(watcher, began)) == {"second"}
    assert (job.named(), job.held()) == ("second", ["unfit"])
    assert ("unfit", "verify", "failed") in job.hooks()
    # The release host may hear of it from the hook before the sync has ended.
    assert {one["phase"] for one in apps.operation()["history"]} & {"Failed", "Terminated"}


def test_drift_is_healed_and_who_made_it_is_written_down(job: Job, apps: Deployed) -> None:
    hooks = job.hooks()
    kubectl = job.town.around.kubectl
    kubectl("scale", "deployment", "trading-green-trader", "--replicas=0")
    kubectl("label", "service", "trading", "app.kubernetes.io/part-of=somebody", "--overwrite")
    job.town.cluster.until("both are healed", lambda: _as_rendered(job), HEAL_SECONDS)
    heals = [heal for state in apps.states().values() for heal in state["heals"]]
    paths = {field["path"] for heal in heals for field in heal["fields"] if heal["ok"]}
    assert "/spec/replicas" in paths
    managers = {field["manager"] for heal in heals for field in heal["fields"]}
    assert managers & {"kubectl", "kubectl-label"}
    assert job.hooks() == hooks


def _as_rendered(job: Job) -> bool:
    replicas = job.town.around.get("deployment", "trading-green-trader")["spec"]["replicas"]
    labels = job.town.around.get("service", "trading")["metadata"]["labels"]
    return bool(replicas == 1 and labels["app.kubernetes.io/part-of"] == "trading")


def test_an_object_of_another_application_stops_it_until_somebody_decides(
    job: Job, apps: Deployed
) -> None:
    kubectl, name = job.town.around.kubectl, "trading-green-trader"
    space = job.town.around.namespace
    theirs = f"somebody:apps/Deployment:{space}/{name}"
    kubectl("annotate", "--overwrite", "deployment", name, f"{TRACKING}={theirs}")
    kubectl("annotate", "configmap", STATES, "slipway.dev/sync-asked=a test")
    job.town.cluster.until("it refuses", lambda: apps.operation()["phase"] == "Error", seconds=60)
    assert "belongs to the application 'somebody'" in apps.operation()["message"]
    kept = json.loads(kubectl("get", "deployment", name, "--output=json"))
    assert kept["metadata"]["annotations"][TRACKING] == theirs
    kubectl("annotate", "deployment", name, f"{TRACKING}-")
    job.town.cluster.until(
        "it goes on by itself",
        lambda: apps.operation()["phase"] == "Succeeded",
        seconds=RELEASE_SECONDS,
    )


def test_a_rollback_with_git_away_stands_against_self_heal(
    job: Job, apps: Deployed, watcher: Watcher
) -> None:
    began = time.monotonic()
    away = job.town.origin.with_name("moved.git")
    job.town.origin.rename(away)
    try:
        answer = job.town.slipway.run("rollback", ENVIRONMENT, "--reason", "a test")
        assert answer.code in (0, 3), answer
        assert job.active() == ("first", "blue", "blue")
        time.sleep(10)  # self-heal acts within a second
        assert job.active() == ("first", "blue", "blue")
        assert job.town.name_of(watcher.last()) == "first"
    finally:
        away.rename(job.town.origin)
    job.town.cluster.until("git hears of it", lambda: job.named() == "first", seconds=120)
    assert job.held() == ["unfit", "second"]
    job.settle()
    time.sleep(2)
    assert job.active() == ("first", "blue", "blue")
    assert apps.operation()["phase"] == "Succeeded"
    assert set(job.answered(watcher, began)) == {"second", "first"}
    assert watcher.failures(began) == []
