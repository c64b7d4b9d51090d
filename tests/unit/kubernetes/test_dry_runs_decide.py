"""What differs from its manifest and would not change by a sync is no difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from pipelines.model.errors import SlipwayError, Unavailable
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import Retry, SyncSettings
from pipelines.targets.kubernetes.self_heal import Heal
from pipelines.targets.kubernetes.sync_run import Syncer
from tests.unit.kubernetes.memory import MemoryCluster, config, refused, soon

SETTINGS = SyncSettings("shop", "shop", prune=True, retry=Retry(limit=0))
Open = Callable[[MemoryCluster], Syncer]


@pytest.fixture
def opened() -> Iterator[Open]:
    made: list[Syncer] = []

    def opens(cluster: MemoryCluster) -> Syncer:
        made.append(Syncer(cast(Any, cluster), SETTINGS))
        return made[-1]

    yield opens
    for one in made:
        one.close()


def rewriting() -> MemoryCluster:
    """A webhook has its own idea of `a` in every config map."""

    def rewritten(manifest: dict[str, Any]) -> dict[str, Any]:
        if manifest["kind"] != "ConfigMap":
            return manifest
        return {**manifest, "data": {**manifest["data"], "a": "from the webhook"}}

    cluster = MemoryCluster()
    cluster.changes = rewritten
    return cluster


def dry(cluster: MemoryCluster) -> int:
    return sum(line.startswith("dry ") for line in cluster.log)


def written(cluster: MemoryCluster) -> int:
    return sum(line.startswith("apply ") for line in cluster.log)


def test_what_a_webhook_rewrites_is_no_difference_and_costs_one_question(opened: Open) -> None:
    cluster, desired = rewriting(), [config("one", a="1", b="1")]
    syncer = opened(cluster)
    assert syncer.sync(desired).phase == "Succeeded"
    cluster.log.clear()
    assert syncer.diff(desired) == ()
    assert syncer.diff(desired) == ()
    assert cluster.log == ["dry apply ConfigMap/one"]
    outcome = syncer.sync(desired)
    assert [one.message for one in outcome.results] == ["unchanged"]
    assert cluster.log == ["dry apply ConfigMap/one"]


def test_it_is_asked_again_when_the_manifest_or_the_object_changed(opened: Open) -> None:
    cluster = rewriting()
    syncer = opened(cluster)
    syncer.sync([config("one", a="1", b="1")])
    assert syncer.diff([config("one", a="1", b="1")]) == ()
    (step,) = syncer.diff([config("one", a="1", b="2")])
    assert {change.path for change in step.changes} == {"/data/a", "/data/b"}
    cluster.by_hand(cluster.objects[config("one").key], labels={"by": "hand"})
    key = config("one").key
    assert soon(lambda: bool(syncer.cache.store.get(key).labels))  # type: ignore[union-attr]
    before = dry(cluster)
    assert syncer.diff([config("one", a="1", b="1")]) == ()
    assert dry(cluster) == before + 1


def test_what_is_as_desired_or_not_there_costs_no_question(opened: Open) -> None:
    cluster = MemoryCluster()
    syncer = opened(cluster)
    assert len(syncer.diff([config("one", a="1")])) == 1
    syncer.sync([config("one", a="1")])
    cluster.log.clear()
    assert syncer.diff([config("one", a="1")]) == ()
    assert len(syncer.diff([config("one", a="1"), config("two", a="1")])) == 1
    assert cluster.log == []


def test_a_change_that_was_tried_while_planning_is_not_tried_twice(opened: Open) -> None:
    cluster = MemoryCluster()
    syncer = opened(cluster)
    syncer.sync([config("one", a="1")])
    cluster.log.clear()
    assert len(syncer.diff([config("one", a="2")])) == 1
    assert syncer.sync([config("one", a="2")]).phase == "Succeeded"
    assert cluster.log == ["dry apply ConfigMap/one", "apply ConfigMap/one"]


@pytest.mark.parametrize("error", [refused("Forbidden"), Unavailable("away")])
def test_what_cannot_be_decided_stays_a_difference(opened: Open, error: SlipwayError) -> None:
    cluster, names = MemoryCluster(), [f"values-{number}" for number in range(50)]
    syncer = opened(cluster)
    syncer.sync([config(name, a="1") for name in names])
    asked: list[ResourceKey] = []

    def fails(verb: str, key: ResourceKey) -> None:
        asked.append(key)
        raise error

    cluster.before = fails
    assert len(syncer.diff([config(name, a="2") for name in names])) == 50
    if isinstance(error, Unavailable):
        assert len(asked) < 50, "a server that is away is not asked about everything"


def test_self_heal_does_not_fight_a_webhook_and_heals_the_rest(opened: Open) -> None:
    cluster, told = rewriting(), list[Heal]()
    desired: list[Resource] = [config("one", a="1", b="1")]
    syncer = opened(cluster)
    syncer.sync(desired)
    cluster.log.clear()
    healer = syncer.heal(desired, told.append)
    try:
        assert soon(lambda: dry(cluster) == 1)
        live = cluster.objects[config("one").key]
        data = {**live.manifest["data"], "b": "by hand"}
        cluster.by_hand(Resource({**live.manifest, "data": data}))
        assert soon(lambda: bool(told))
    finally:
        healer.close()
    assert [one.ok for one in told] == [True]
    assert written(cluster) == 1
    assert cluster.objects[config("one").key].manifest["data"]["b"] == "1"
