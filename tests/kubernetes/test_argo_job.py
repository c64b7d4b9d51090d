"""Releases by Argo CD itself: which version answered each request, and what stands at the end.

Real parts only: a Kubernetes, Argo CD 3.2.1, PostgreSQL and venue by their charts, images by a Docker
Engine, an origin. The tests are one job in order: each goes on where the one before ended. What is waited
for may take long on a machine that does other things too; no test says how fast anything is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.cluster.folder import Folder
from tests.cluster.standing import Standing
from tests.kubernetes import by_syncer
from tests.kubernetes.applications import Applications
from tests.kubernetes.argo_job import Job
from tests.kubernetes.end_state import differences, end_state
from tests.kubernetes.image_fixtures import APPLICATION
from tests.kubernetes.image_shelf import Built
from tests.kubernetes.surroundings import ENVIRONMENT, Surroundings
from tests.kubernetes.town import Town
from tests.kubernetes.watcher import Watcher
from tests.planted import builds, edits

pytestmark = pytest.mark.timeout(1800)

TABLES = ("planted_first", "planted_later")


def _table(name: str) -> edits.Edit:
    return edits.migration(f"create table trading.{name} (n int)", f"drop table trading.{name}")


def _other_settings(document: dict[str, object]) -> None:
    trading = document["trading"]
    assert isinstance(trading, dict)
    trading["strategies"]["sma-cross"]["parameters"]["fast"] = 6


ONE, TWO = _table(TABLES[0]), _table(TABLES[1])
RELEASES: dict[str, list[edits.Edit]] = {
    "first": [],
    "second": [ONE],
    "unfit": [ONE, builds.VERIFY_FAILS],
    "failing": [ONE, builds.ERRORS],
    "third": [ONE, TWO, edits.values(_other_settings)],
}


@pytest.fixture(scope="module")
def job(
    real_cluster: Standing,
    argo_cd: Folder,
    built_application: Built,
    engine_image: str,
    database_image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Job]:
    folder = tmp_path_factory.mktemp("job")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("KUBECONFIG", str(real_cluster.kubeconfig))
        town = Town(real_cluster, folder, engine_image.rpartition(":")[2])
        apps = Applications(real_cluster, argo_cd, town.around.namespace)
        try:
            town.settle(RELEASES, whole=built_application[0].name)
            files = town.slipway.checkout / "environments" / ENVIRONMENT
            apps.create(files, town.origin, town.around.namespace)
            made = Job(town, apps)
            made.bootstrap("first")
            with made.observer():
                yield made
        finally:
            apps.delete()
            town.around.destroy()


@pytest.fixture(scope="module")
def watcher(job: Job) -> Iterator[Watcher]:
    """Half of its clients keep their connections."""
    with Watcher(job.town.around.service_address("trading")) as clients:
        yield clients


def test_the_first_release_is_brought_by_hooks_and_slots(job: Job) -> None:
    job.settle()
    assert job.active() == ("first", "blue", "blue")
    assert job.named() == "first"
    ended = {step: status for release, step, status in job.hooks() if release == "first"}
    assert list(ended) == ["guard", "backup", "migrate", "verify", "switch"]
    assert set(ended.values()) <= {"succeeded", "skipped"}
    assert job.apps.results()["Job trading-blue-switch"] == "Succeeded"


def test_a_good_release_is_switched_to_and_no_request_fails(job: Job, watcher: Watcher) -> None:
    began = time.monotonic()
    answer = job.promote("second")
    assert answer.code == 0, answer
    job.settle()
    time.sleep(2)
    assert job.active() == ("second", "green", "green")
    assert watcher.failures(began) == []
    assert set(job.answered(watcher, began)) == {"first", "second"}
    assert {keeps for keeps, release in watcher.ways(began) if release == job.row()["release"]} == {
        True,
        False,
    }
    assert job.town.name_of(watcher.last()) == "second"
    assert _tables(job) == [TABLES[0]]


def test_a_release_that_fails_verify_answers_nobody_and_is_held(job: Job, watcher: Watcher) -> None:
    began = time.monotonic()
    answer = job.promote("unfit")
    assert answer.code == 4, answer
    job.settle()
    assert job.active() == ("second", "green", "green")
    assert set(job.answered(watcher, began)) == {"second"}
    assert watcher.failures(began) == []
    assert job.named() == "second"
    assert job.held() == ["unfit"]
    assert ("unfit", "verify", "failed") in job.hooks()


def test_a_release_that_fails_its_analysis_is_switched_back_by_the_hook(
    job: Job, watcher: Watcher
) -> None:
    began = time.monotonic()
    answer = job.promote("failing")
    assert answer.code == 4, answer
    job.settle()
    time.sleep(2)
    assert job.active() == ("second", "green", "green")
    assert set(job.answered(watcher, began)) == {"second", "failing"}
    assert job.town.name_of(watcher.last()) == "second"
    assert job.named() == "second"
    assert job.held() == ["unfit", "failing"]
    assert ("failing", "switch", "failed") in job.hooks()


def test_a_commit_about_something_else_runs_nothing_and_restarts_nothing(
    job: Job, watcher: Watcher
) -> None:
    began, before, pods = time.monotonic(), job.hooks(), job.pods()
    answer = job.command("unhold", ENVIRONMENT, job.town.releases["unfit"])
    assert answer.code == 0, answer
    job.settle()
    assert job.apps.revision() == job.town.head()
    assert job.hooks() == before
    assert job.pods() == pods
    assert pods
    assert set(job.answered(watcher, began)) == {"second"}
    assert watcher.failures(began) == []


def test_drift_by_hand_is_healed_by_argo_cd_and_no_hook_does_anything(job: Job) -> None:
    """The newest commit needed no sync, so Argo CD heals the first time with one of everything, whose
    hooks find their work done. After that it heals what differs alone."""
    before = job.hooks()
    _drift_until_healed(job)
    again = job.hooks()
    assert sorted(again) == sorted(before)
    _drift_until_healed(job)
    assert job.hooks() == again
    assert job.active() == ("second", "green", "green")


def _drift_until_healed(job: Job) -> None:
    around = job.town.around
    around.kubectl("scale", "deployment", "trading-green-api", "--replicas=2")
    around.kubectl("label", "service", "trading", "app.kubernetes.io/part-of=me", "--overwrite")
    job.town.cluster.until("Argo CD heals", lambda: _as_rendered(job), seconds=180)
    around.kubectl(
        "rollout", "status", "deployment", "trading-green-api", "--timeout=180s", seconds=190
    )
    job.settle()


def _as_rendered(job: Job) -> bool:
    replicas = job.town.around.get("deployment", "trading-green-api")["spec"]["replicas"]
    labels = job.town.around.get("service", "trading")["metadata"]["labels"]
    return bool(replicas == 1 and labels["app.kubernetes.io/part-of"] == "trading")


def test_git_revert_goes_back_without_migrating_again(job: Job, watcher: Watcher) -> None:
    """Blue had another release before: who answers until the switch must be who was promoted."""
    assert job.promote("third").code == 0
    job.settle()
    assert job.active() == ("third", "blue", "blue")
    assert _tables(job) == sorted(TABLES)
    began, moment = time.monotonic(), job.moment()
    made = job.go_back_in_git(job.town.folder / "revert")
    job.settle()
    job.town.cluster.until("second answers", lambda: job.active()[0] == "second", seconds=300)
    time.sleep(2)
    assert job.town.head() == made
    assert job.active() == ("second", "green", "green")
    assert watcher.failures(began) == []
    assert set(job.answered(watcher, began)) == {"third", "second"}
    assert job.town.name_of(watcher.last()) == "second"
    new = job.hooks(since=moment)
    assert {status for _, step, status in new if step in ("backup", "migrate")} <= {"skipped"}
    assert ("second", "switch", "succeeded") in new
    assert _tables(job) == sorted(TABLES)
    assert job.held() == ["failing"]


def test_what_left_the_branch_is_pruned(job: Job) -> None:
    """The settings of the third release went with it."""
    job.settle()
    assert job.unwanted() == set()
    assert len(job.configuration("blue")) == 1
    assert len(job.configuration("green")) == 1


def test_a_rollback_with_git_away_stands_against_self_heal(job: Job, watcher: Watcher) -> None:
    assert job.promote("third").code == 0
    job.settle()
    began = time.monotonic()
    away = job.town.origin.with_name("moved.git")
    job.town.origin.rename(away)
    try:
        answer = job.town.slipway.run("rollback", ENVIRONMENT, "--reason", "a test")
        assert answer.code in (0, 3), answer
        assert job.active() == ("second", "green", "green")
        job.apps.look()
        time.sleep(10)  # self-heal acts within seconds, from its cache
        assert job.active() == ("second", "green", "green")
        assert job.town.name_of(watcher.last()) == "second"
        assert watcher.failures(began) == []
    finally:
        away.rename(job.town.origin)
    job.town.cluster.until("git hears of it", lambda: job.named() == "second", seconds=120)
    assert job.held() == ["failing", "third"]
    job.settle()
    time.sleep(2)
    assert job.active() == ("second", "green", "green")
    assert set(job.answered(watcher, began)) == {"third", "second"}
    assert watcher.failures(began) == []


def test_slipways_own_syncer_leaves_the_same_object_by_object(job: Job) -> None:
    """The same branch and the same `application.yaml`, into a namespace of its own with its own
    database. What is not compared, and why, says `end_state`."""
    town, there = job.town, Surroundings(job.town.cluster, job.town.slipway.checkout)
    environment = town.slipway.checkout / "environments" / ENVIRONMENT
    try:
        there.build(APPLICATION, town.releases["first"], town.slipway.token)
        ended = by_syncer.bring(town, environment, there)
        assert {name: outcome.phase for name, outcome in ended.items()} == {
            "slipway-dev-edge": "Succeeded",
            "slipway-dev-slots": "Succeeded",
        }, ended
        names = {job.apps.slots: "slipway-dev-slots", job.apps.edge: "slipway-dev-edge"}
        by_argo = end_state(town.around, job.desired(), names)
        by_slipway = end_state(there, job.desired(), {})
        assert "Deployment trading-green-api" in by_argo
        assert differences(by_argo, by_slipway) == []
    finally:
        there.destroy()


def _tables(job: Job) -> list[str]:
    rows = job.town.around.query(
        "select tablename from pg_tables where schemaname = 'trading' and tablename like 'planted%%'"
        " order by tablename"
    )
    return [str(row["tablename"]) for row in rows]
