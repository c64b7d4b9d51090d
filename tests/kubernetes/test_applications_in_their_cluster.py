"""The controller inside a cluster, thread by thread: real git, a real API server, no nodes."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.adapters.git_mirror import GitMirror
from pipelines.adapters.kubernetes.client import ApiServer
from pipelines.engine.sync import application_yaml
from pipelines.engine.sync.application_yaml import Application
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync_state import SyncState
from pipelines.targets.kubernetes.application_sync import ApplicationSync
from pipelines.targets.kubernetes.branch_watch import BranchWatch
from pipelines.targets.kubernetes.cluster import TRACKING
from pipelines.targets.kubernetes.layout import Place
from pipelines.targets.kubernetes.live_cache import WatchedCache
from pipelines.targets.kubernetes.live_scope import LiveScope
from pipelines.targets.kubernetes.sync_run import Syncer
from pipelines.targets.kubernetes.sync_states import ASKED, SyncStates, failed_sync, key_in
from tests.kubernetes.syncing import finish_job, key, soon

ROOT = Path(__file__).resolve().parents[2]
WHO = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
SLOTS, EDGE = "slipway-dev-slots", "slipway-dev-edge"
LABELS = {"app.kubernetes.io/name": "trading", "slipway.dev/environment": "dev"}
Manifest = dict[str, Any]


def config(name: str, value: str, **annotations: str) -> Manifest:
    notes = {f"argocd.argoproj.io/{word.replace('_', '-')}": v for word, v in annotations.items()}
    metadata = {"name": name, "labels": LABELS, "annotations": notes}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"v": value}}


def hook(name: str, phase: str = "Sync", wave: str = "1") -> Manifest:
    """A Job, which nobody runs here but the test."""
    notes = {"hook": phase, "hook-delete-policy": "BeforeHookCreation", "sync-wave": wave}
    pod = {"restartPolicy": "Never", "containers": [{"name": "x", "image": "none"}]}
    metadata = {
        "name": name,
        "annotations": {f"argocd.argoproj.io/{word}": v for word, v in notes.items()},
    }
    spec = {"template": {"spec": pod}, "activeDeadlineSeconds": 60}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def service(slot: str) -> Manifest:
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    spec = {"selector": {"app": "x", "slipway.dev/slot": slot}, "ports": ports}
    metadata = {"name": "trading", "labels": LABELS}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


class Controller:
    """As `slipway controller dev --in-cluster` makes it, from the Applications of the repository."""

    def __init__(self, cluster: ApiServer, namespace: str, folder: Path) -> None:
        self.cluster, self.namespace, self.folder = cluster, namespace, folder
        self.repository, self.lines = folder / "repository", list[str]()
        if not self.repository.exists():
            subprocess.run(["git", "init", "-q", "-b", "env/dev", self.repository], check=True)
        self.leaving = threading.Event()
        self.syncs: list[ApplicationSync] = []
        self.threads: list[threading.Thread] = []

    def start(self) -> Controller:
        applications = [self._application(name) for name in ("application", "application-edge")]
        mirror = GitMirror(str(self.repository), "env/dev", self.folder / "mirror.git")
        self.branch = BranchWatch(mirror, applications, self.lines.append)
        states = SyncStates(self.cluster, self.namespace, "dev", self.lines.append)
        scope = LiveScope(self.cluster, WatchedCache(self.cluster), applications[0].settings)
        for one in applications:
            sync = ApplicationSync(
                one, Syncer(self.cluster, one.settings, scope=scope), states, self.branch,
                self.leaving, self.lines.append, ours=(SLOTS, EDGE), operation_seconds=20,
            )  # fmt: skip
            self.threads.append(threading.Thread(target=sync.run, daemon=True))
        self.threads.append(threading.Thread(target=self._look, daemon=True))
        for thread in self.threads:
            thread.start()
        return self

    def _look(self) -> None:
        while not self.leaving.wait(0.1):
            self.branch.look()

    def stop(self) -> None:
        self.leaving.set()
        for thread in self.threads:
            thread.join(10)
        assert not any(thread.is_alive() for thread in self.threads)

    def _application(self, name: str) -> Application:
        found = yaml.safe_load((ROOT / f"environments/dev/{name}.yaml").read_text())
        found["spec"]["destination"]["namespace"] = self.namespace
        found["spec"]["syncPolicy"]["retry"]["limit"] = 0
        return application_yaml.parse(yaml.safe_dump(found), name)

    # --- the branch --------------------------------------------------------------------------
    def commit(self, *slots: Manifest, edge: str = "blue", note: str = "") -> str:
        self.write("slots/blue/manifests.yaml", yaml.safe_dump_all(slots))
        self.write("edge/manifests.yaml", yaml.safe_dump(service(edge)))
        self.write("release.yaml", note)
        return self.commit_all()

    def write(self, name: str, text: str) -> None:
        file = self.repository / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commit_all(self) -> str:
        self.git("add", "--all")
        self.git(*WHO, "commit", "--quiet", "--allow-empty", "--message", "Change")
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        argv = ["git", "-C", str(self.repository), *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    # --- what it says ------------------------------------------------------------------------
    def state(self, application: str = SLOTS) -> SyncState:
        live = self.cluster.get(key_in(self.namespace))
        text = live.manifest.get("data", {}).get(f"{application}.json") if live else None
        return SyncState(**json.loads(text)) if text else SyncState(application, "")

    def ends(self, commit: str, phase: str, application: str = SLOTS) -> SyncState:
        def done() -> bool:
            state = self.state(application)
            return (state.revision, state.phase) == (commit, phase)

        assert soon(done, 20), (self.state(application), self.lines[-5:])
        return self.state(application)

    def value(self, name: str) -> str:
        live = self.cluster.get(key(self.namespace, name))
        return str(live.manifest["data"]["v"]) if live else ""

    def job(self, name: str) -> ResourceKey:
        return key(self.namespace, name, "Job", "batch")

    def runs(self, name: str, but: str = "") -> str:
        """Its uid, once there is one that is not `but`."""
        found = [""]

        def there() -> bool:
            live = self.cluster.get(self.job(name))
            if live is not None and live.metadata.get("deletionTimestamp"):
                self._collect(live)
                return False
            found[0] = str(live.metadata["uid"]) if live else ""
            return found[0] not in ("", but)

        assert soon(there, 20), self.lines[-5:]
        return found[0]

    def _collect(self, live: Resource) -> None:
        """What the garbage collector does; none runs here."""
        if live.metadata.get("finalizers") == ["foregroundDeletion"]:
            patch = {"metadata": {"finalizers": None}}
            self.cluster.patch(live.key, patch, kind="merge", manager="collector")


@pytest.fixture
def controller(cluster: ApiServer, namespace: str, tmp_path: Path) -> Iterator[Controller]:
    made = Controller(cluster, namespace, tmp_path)
    yield made
    made.stop()


def test_what_is_pushed_is_synced_and_written_down(controller: Controller) -> None:
    controller.start()
    first = controller.commit(config("a", "1"), config("b", "1"))
    state = controller.ends(first, "Succeeded")
    controller.ends(first, "Succeeded", EDGE)
    assert (state.actor, state.path) == ("automated", "slots")
    assert {one["resource"]: one["result"] for one in state.results} == {
        f"ConfigMap {controller.namespace}/{name}": "Synced" for name in ("a", "b")
    }
    second = controller.commit(config("a", "2"))
    assert controller.ends(second, "Succeeded").manifests != state.manifests
    assert (controller.value("a"), controller.value("b")) == ("2", "")
    assert [one["revision"] for one in controller.state().history] == [first, second]


def test_hooks_run_only_for_a_commit_that_changes_an_object(controller: Controller) -> None:
    controller.start()
    first = controller.commit(config("a", "1"), hook("switch"))
    uid = controller.runs("switch")
    finish_job(controller.cluster, controller.namespace, "switch")
    state = controller.ends(first, "Succeeded")
    assert [one["hook"] for one in state.results if "hook" in one] == ["Succeeded"]
    other = controller.commit(config("a", "1"), hook("switch"), note="a hold")
    assert controller.ends(other, "Succeeded").message == "all is as this commit says"
    assert controller.runs("switch") == uid


def test_a_commit_that_failed_is_told_to_the_release_host_and_not_tried_again(
    controller: Controller,
) -> None:
    controller.start()
    bad = controller.commit(config("a", "1"), hook("verify"))
    uid = controller.runs("verify")
    finish_job(controller.cluster, controller.namespace, "verify", failed=True)
    controller.ends(bad, "Failed")
    place = Place("dev", controller.namespace, "trading", ())
    said = failed_sync(controller.cluster, place, bad)
    assert said.startswith(f"controller in the cluster: {SLOTS}: ")
    assert failed_sync(controller.cluster, place, "another") == ""
    time.sleep(1.5)
    assert controller.runs("verify") == uid
    good = controller.commit(config("a", "2"))
    controller.ends(good, "Succeeded")


def test_a_person_may_ask_for_it_again(controller: Controller) -> None:
    controller.start()
    bad = controller.commit(config("a", "1"), hook("verify"))
    uid = controller.runs("verify")
    finish_job(controller.cluster, controller.namespace, "verify", failed=True)
    controller.ends(bad, "Failed")
    asked = {"metadata": {"annotations": {ASKED: "ada, now"}}}
    controller.cluster.patch(key_in(controller.namespace), asked, kind="merge", manager="kubectl")
    controller.runs("verify", but=uid)
    finish_job(controller.cluster, controller.namespace, "verify")
    assert controller.ends(bad, "Succeeded").actor == "ada, now"


def test_a_newer_wish_ends_a_sync_that_waits_and_the_same_wish_does_not(
    controller: Controller,
) -> None:
    controller.start()
    controller.commit(config("a", "1"), hook("slow"))
    uid = controller.runs("slow")
    same = controller.commit(config("a", "1"), hook("slow"), note="a hold")
    time.sleep(1.5)
    assert controller.runs("slow") == uid
    newer = controller.commit(config("a", "2"))
    controller.ends(newer, "Succeeded")
    ended = [(one["phase"], one["revision"]) for one in controller.state().history]
    assert ended[0][0] == "Terminated"
    assert ended[-1] == ("Succeeded", newer)
    assert same not in [revision for _, revision in ended[1:]]


def test_what_is_done_is_done_for_every_commit_that_wants_the_same(
    controller: Controller,
) -> None:
    controller.start()
    controller.commit(config("a", "1"), hook("slow"))
    controller.runs("slow")
    same = controller.commit(config("a", "1"), hook("slow"), note="a hold")
    assert soon(lambda: any(same[:12] in line for line in controller.lines))
    finish_job(controller.cluster, controller.namespace, "slow", failed=True)
    controller.ends(same, "Failed")


def test_a_restart_in_the_middle_takes_the_sync_up_and_lets_hooks_go_on(
    controller: Controller, cluster: ApiServer, tmp_path: Path
) -> None:
    """Nothing differs any more when the second one comes, but the hook has not ended."""
    controller.start()
    commit = controller.commit(config("a", "1"), hook("switch"))
    uid = controller.runs("switch")
    controller.stop()
    assert controller.runs("switch") == uid
    assert controller.state().phase == "Running"
    began = controller.state().started_at
    second = Controller(cluster, controller.namespace, tmp_path).start()
    try:
        assert soon(lambda: any("goes on" in line for line in second.lines))
        time.sleep(1.0)
        assert second.runs("switch") == uid
        finish_job(cluster, controller.namespace, "switch")
        assert second.ends(commit, "Succeeded").started_at == began
    finally:
        second.stop()


def test_drift_is_healed_but_not_what_is_ignored_and_survives_a_restart_in_words(
    controller: Controller,
) -> None:
    controller.start()
    commit = controller.commit(config("a", "1"))
    controller.ends(commit, "Succeeded")
    controller.ends(commit, "Succeeded", EDGE)
    cluster, space = controller.cluster, controller.namespace
    turned = {"spec": {"selector": {"slipway.dev/slot": "green"}}}
    cluster.patch(key(space, "trading", "Service"), turned, kind="merge", manager="slipway-switch")
    cluster.patch(key(space, "a"), {"data": {"v": "9"}}, kind="merge", manager="kubectl-edit")
    assert soon(lambda: controller.value("a") == "1")
    assert soon(lambda: len(controller.state().heals) == 1)
    (heal,) = controller.state().heals
    assert heal["fields"][0]["path"] == "/data/v"
    assert heal["fields"][0]["manager"] == "kubectl-edit"
    live = cluster.get(key(space, "trading", "Service"))
    assert live is not None
    assert live.manifest["spec"]["selector"]["slipway.dev/slot"] == "green"


def test_git_away_does_not_stop_healing(controller: Controller) -> None:
    controller.start()
    controller.ends(controller.commit(config("a", "1")), "Succeeded")
    away = controller.repository.rename(controller.folder / "away")
    assert soon(lambda: any("git does not answer" in line for line in controller.lines))
    patch = {"data": {"v": "9"}}
    controller.cluster.patch(
        key(controller.namespace, "a"), patch, kind="merge", manager="kubectl-edit"
    )
    assert soon(lambda: controller.value("a") == "1")
    away.rename(controller.repository)
    controller.ends(controller.commit(config("a", "2")), "Succeeded")


def test_a_commit_that_cannot_be_read_is_said_and_what_was_there_is_kept(
    controller: Controller,
) -> None:
    controller.start()
    controller.ends(controller.commit(config("a", "1")), "Succeeded")
    controller.write("slots/blue/broken.yaml", "a: [")
    state = controller.ends(controller.commit_all(), "Error")
    assert "slots/blue/broken.yaml" in state.message
    controller.cluster.patch(
        key(controller.namespace, "a"), {"data": {"v": "9"}}, kind="merge", manager="kubectl-edit"
    )
    assert soon(lambda: controller.value("a") == "1")


def test_another_application_s_object_is_left_alone_and_said(controller: Controller) -> None:
    cluster, space = controller.cluster, controller.namespace
    theirs = config("a", "theirs", tracking_id=f"argo:/ConfigMap:{space}/a")
    theirs["metadata"]["namespace"] = space
    cluster.create(theirs)
    controller.start()
    commit = controller.commit(config("a", "1"), config("b", "1"))
    state = controller.ends(commit, "Error")
    assert "belongs to the application 'argo'" in state.message
    assert state.refused
    assert "belongs to the Application argo" in controller.ends(commit, "Error", EDGE).message
    assert (controller.value("a"), controller.value("b")) == ("theirs", "")


def test_what_the_release_host_s_own_syncer_tracked_is_taken_over(controller: Controller) -> None:
    cluster, space = controller.cluster, controller.namespace
    ours = config("a", "1", tracking_id=f"trading-dev-blue:/ConfigMap:{space}/a")
    ours["metadata"]["namespace"] = space
    cluster.create(ours)
    controller.start()
    controller.ends(controller.commit(config("a", "1")), "Succeeded")
    live = cluster.get(key(space, "a"))
    assert live is not None
    assert live.annotations[TRACKING] == f"{SLOTS}:/ConfigMap:{space}/a"
