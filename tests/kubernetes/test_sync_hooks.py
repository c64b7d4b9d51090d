"""Hooks and waves against a real API server; the test plays the controller that runs Jobs."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipelines.adapters.kubernetes.client import ApiServer
from pipelines.model.resource import Resource
from tests.kubernetes.api_server import ApiServerProcess
from tests.kubernetes.syncing import (
    SHORT,
    codes,
    config_map,
    data,
    finish_job,
    job,
    key,
    messages,
    resource,
    settings,
    soon,
    syncer,
)

HOOK_JOB = ("Job", "batch")


def finishes(
    cluster: ApiServer, namespace: str, name: str, *, failed: bool = False
) -> threading.Thread:
    """Ends the Job as soon as it is there."""

    def act() -> None:
        where = key(namespace, name, *HOOK_JOB)
        if soon(lambda: cluster.get(where) is not None):
            finish_job(cluster, namespace, name, failed=failed)

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


def test_what_comes_after_a_hook_waits_until_it_succeeded(
    cluster: ApiServer, namespace: str
) -> None:
    desired = [job("migrate", annotations={"hook": "PreSync"}), config_map("after")]
    seen: list[bool] = []

    def act() -> None:
        where = key(namespace, "migrate", *HOOK_JOB)
        soon(lambda: cluster.get(where) is not None)
        time.sleep(0.3)
        seen.append(cluster.get(key(namespace, "after")) is None)
        finish_job(cluster, namespace, "migrate")

    threading.Thread(target=act, daemon=True).start()
    with syncer(cluster, settings(namespace)) as sync:
        outcome = sync.sync(desired, limits=SHORT)
    assert outcome.phase == "Succeeded", outcome
    assert seen == [True]
    assert cluster.get(key(namespace, "after")) is not None


def test_a_hook_that_ended_is_waited_for_by_events(cluster: ApiServer, namespace: str) -> None:
    """No polling sleep between the end of a hook and what comes next."""
    desired = [job("migrate", annotations={"hook": "PreSync"}), config_map("after")]
    ended: list[float] = []

    def act() -> None:
        soon(lambda: cluster.get(key(namespace, "migrate", *HOOK_JOB)) is not None)
        time.sleep(0.5)
        ended.append(time.monotonic())
        finish_job(cluster, namespace, "migrate")

    threading.Thread(target=act, daemon=True).start()
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync(desired, limits=SHORT)
    assert time.monotonic() - ended[0] < 0.5


def test_a_hook_that_fails_ends_the_sync_and_runs_what_is_for_failures(
    cluster: ApiServer, namespace: str
) -> None:
    desired = [
        job("migrate", annotations={"hook": "PreSync"}),
        config_map("after"),
        config_map("tell", annotations={"hook": "SyncFail"}),
    ]
    finishes(cluster, namespace, "migrate", failed=True)
    with syncer(cluster, settings(namespace)) as sync:
        outcome = sync.sync(desired, limits=SHORT)
    assert outcome.phase == "Failed"
    assert "it said no" in messages(outcome)["migrate"]
    assert cluster.get(key(namespace, "after")) is None
    assert cluster.get(key(namespace, "tell")) is not None


def test_a_hook_is_deleted_as_its_policy_says(cluster: ApiServer, namespace: str) -> None:
    kept = {"hook": "PreSync"}
    gone = {"hook": "PreSync", "hook-delete-policy": "HookSucceeded"}
    desired = [config_map("kept", annotations=kept), config_map("gone", annotations=gone)]
    with syncer(cluster, settings(namespace)) as sync:
        outcome = sync.sync([*desired, config_map("main")], limits=SHORT)
        assert outcome.phase == "Succeeded", outcome
        first = cluster.get(key(namespace, "kept"))
        assert soon(lambda: cluster.get(key(namespace, "gone")) is None)
        sync.sync([*desired, config_map("main")], limits=SHORT)
        second = cluster.get(key(namespace, "kept"))
    assert first is not None
    assert second is not None
    assert first.metadata["uid"] != second.metadata["uid"], "made anew: BeforeHookCreation"
    assert not second.metadata.get("finalizers")


def test_a_later_wave_waits_for_the_health_of_an_earlier_one(
    cluster: ApiServer, namespace: str
) -> None:
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "main", "image": "x"}]},
    }
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    first = resource("Deployment", "web", api="apps/v1", spec=spec)
    second = config_map("after", annotations={"sync-wave": "1"})
    where = key(namespace, "web", "Deployment", "apps")

    def act() -> None:
        soon(lambda: cluster.get(where) is not None)
        live = cluster.get(where)
        assert live is not None
        status = {
            "observedGeneration": live.metadata["generation"],
            **dict.fromkeys(
                ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1
            ),
        }
        time.sleep(0.3)
        assert cluster.get(key(namespace, "after")) is None
        cluster.patch(where, {"status": status}, kind="merge", subresource="status")

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    with syncer(cluster, settings(namespace)) as sync:
        outcome = sync.sync([first, second], limits=SHORT)
    assert outcome.phase == "Succeeded", outcome
    assert codes(outcome)["after"] == "Synced"


SYNC_IN_A_PROCESS = """
import sys
from pathlib import Path
from pipelines.adapters.kubernetes.client import open_cluster
from tests.kubernetes.syncing import settings
from tests.kubernetes.test_sync_hooks import many
from pipelines.targets.kubernetes.sync_run import Syncer
sync = Syncer(open_cluster(kubeconfig=Path(sys.argv[1])), settings(sys.argv[2]))
print("ready", flush=True)
print(sync.sync(many(sys.argv[3])).phase)
"""


def many(word: str) -> list[Resource]:
    """Waves, hooks and enough objects to be killed in the middle."""
    waves = [
        config_map(f"values-{number:03}", annotations={"sync-wave": str(number // 40)}, word=word)
        for number in range(200)
    ]
    before = config_map("before", annotations={"hook": "PreSync"}, word=word)
    last = {"hook": "PostSync", "hook-delete-policy": "HookSucceeded"}
    return [*waves, before, config_map("behind", annotations=last, word=word)]


@pytest.mark.parametrize("seconds", [0.05, 0.25, 0.5, 0.8])
def test_a_syncer_that_is_killed_anywhere_goes_on_when_it_runs_again(
    api_server: ApiServerProcess, cluster: ApiServer, namespace: str, seconds: float
) -> None:
    argv = [sys.executable, "-c", SYNC_IN_A_PROCESS, str(api_server.kubeconfig), namespace, "one"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=root) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"ready\n"
        time.sleep(seconds)
        killed.kill()
    with syncer(cluster, settings(namespace)) as sync:
        outcome = sync.sync(many("two"), limits=SHORT)
        assert outcome.phase == "Succeeded", outcome
        assert all(
            data(cluster, namespace, f"values-{number:03}") == {"word": "two"}
            for number in range(200)
        )
        assert sync.diff(many("two")) == ()
    assert soon(lambda: cluster.get(key(namespace, "behind")) is None)
