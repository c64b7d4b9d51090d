"""A sync that a restart or an API server that is away cut short: who asked for it, and what it did."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from pipelines.engine.sync.application_yaml import Application
from pipelines.model.errors import Unavailable
from pipelines.model.resource import ResourceKey
from pipelines.model.sync import Retry, SyncSettings
from pipelines.targets.kubernetes.application_sync import ApplicationSync
from pipelines.targets.kubernetes.branch_watch import Wanted
from pipelines.targets.kubernetes.sync_run import Syncer
from pipelines.targets.kubernetes.sync_states import ASKED, SyncStates, key_in
from tests.unit.kubernetes.memory import NAMESPACE, MemoryCluster, config, soon

COMMIT = "0123456789ab" + "c" * 28
SETTINGS = SyncSettings("slots", NAMESPACE, prune=True, automated=True, retry=Retry(limit=0))
DESIRED = (config("first", a="1"), config("second", a="1"))
FOREIGN = {"argocd.argoproj.io/tracking-id": f"bank:/ConfigMap:{NAMESPACE}/second"}


class Branch:
    def newest(self, _: str) -> Wanted:
        return Wanted(COMMIT, DESIRED, "sha256:1")

    def wait(self, _: str, seconds: float) -> None:
        threading.Event().wait(min(seconds, 0.05))


class Pod:
    """One controller; the next one finds what it wrote down."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self.cluster, self.leaving, self.lines = cluster, threading.Event(), list[str]()
        there = cast(Any, cluster)
        application = Application(
            SETTINGS, *("default", "ssh://git", "env/dev", "slots", True, "", 10, ())
        )
        sync = ApplicationSync(
            application, Syncer(there, SETTINGS), SyncStates(there, NAMESPACE, "dev", self.lines.append),
            cast(Any, Branch()), self.leaving, self.lines.append,
            ours=("slots",), operation_seconds=30,
        )  # fmt: skip
        self.thread = threading.Thread(target=sync.run, daemon=True)
        self.thread.start()

    def ends(self) -> None:
        self.leaving.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


Start = Callable[[MemoryCluster], Pod]


@pytest.fixture
def start() -> Iterator[Start]:
    pods: list[Pod] = []

    def starts(cluster: MemoryCluster) -> Pod:
        pods.append(Pod(cluster))
        return pods[-1]

    yield starts
    for pod in pods:
        pod.leaving.set()
        pod.thread.join(10)


def state(cluster: MemoryCluster) -> dict[str, Any]:
    live = cluster.objects.get(key_in(NAMESPACE))
    found: dict[str, Any] = json.loads(live.manifest["data"]["slots.json"]) if live else {}
    return found


def reached(cluster: MemoryCluster, phase: str) -> Callable[[], bool]:
    return lambda: state(cluster).get("phase") == phase


def results(cluster: MemoryCluster) -> dict[str, str]:
    return {one["resource"].rpartition("/")[2]: one["result"] for one in state(cluster)["results"]}


def asked_while_away(start: Start) -> tuple[MemoryCluster, Pod, threading.Event]:
    """A person asks for a sync, in which the API server goes away at the second object."""
    cluster, away = MemoryCluster(), threading.Event()

    def answers(verb: str, key: ResourceKey) -> None:
        if away.is_set() and verb == "apply" and key.name == "second":
            raise Unavailable("the API server does not answer")

    pod = start(cluster)
    assert soon(reached(cluster, "Succeeded")), pod.lines
    assert state(cluster)["actor"] == "automated"
    cluster.before = answers
    away.set()
    for one in DESIRED:
        cluster.by_hand(config(one.name, a="2"))
    live = cluster.objects[key_in(NAMESPACE)]
    cluster.by_hand(live, annotations={ASKED: "ada, today"})
    assert soon(lambda: reached(cluster, "Running")() and bool(state(cluster)["results"])), (
        pod.lines
    )
    return cluster, pod, away


def test_who_asked_for_a_sync_asked_for_it_also_after_a_restart(start: Start) -> None:
    cluster, pod, away = asked_while_away(start)
    assert results(cluster) == {"first": "Synced", "second": "SyncFailed"}
    began = state(cluster)["started_at"]
    pod.ends()
    away.clear()
    start(cluster)
    assert soon(reached(cluster, "Succeeded"))
    assert (state(cluster)["actor"], state(cluster)["started_at"]) == ("ada, today", began)
    assert state(cluster)["history"][-1]["actor"] == "ada, today"
    assert results(cluster) == {"first": "Synced", "second": "Synced"}


def test_what_a_sync_did_stays_known_when_it_is_refused_later(start: Start) -> None:
    cluster, pod, _ = asked_while_away(start)
    pod.ends()
    cluster.by_hand(config("second", a="2"), annotations=FOREIGN)
    start(cluster)
    assert soon(reached(cluster, "Error"))
    assert "bank" in state(cluster)["message"]
    assert state(cluster)["actor"] == "ada, today"
    assert results(cluster) == {"first": "Synced", "second": "SyncFailed"}


def test_what_a_plan_warns_of_is_logged_once(start: Start) -> None:
    cluster = MemoryCluster()
    cluster.unlisted = {"Job": "Forbidden"}
    pod = start(cluster)
    assert soon(reached(cluster, "Succeeded"))
    (words,) = [line for line in pod.lines if "warning" in line]
    assert "Job.batch" in words
