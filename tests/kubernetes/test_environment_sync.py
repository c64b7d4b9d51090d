"""Slots and edge as applications of their own: what a sync of one of them does, and leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.adapters.kubernetes.client import ApiServer
from pipelines.adapters.sqlite import open_records
from pipelines.model.errors import Refused, StaleToken
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import Action
from pipelines.records.protocols import Records
from pipelines.records.sync_diary import SyncDiary, syncs
from pipelines.targets.kubernetes.cluster import TRACKING
from pipelines.targets.kubernetes.environment_sync import EnvironmentSync
from pipelines.targets.kubernetes.layout import EDGE, NAME_LABEL, SLOT_LABEL, Place
from pipelines.targets.kubernetes.mending import mends
from tests.kubernetes.syncing import soon

ROOT = Path(__file__).resolve().parents[2]
BLUE, GREEN = "blue", "green"


@pytest.fixture
def place(namespace: str) -> Place:
    return Place("dev", namespace, "trading", ("trading-dev",))


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return open_records(tmp_path, "dev")


@pytest.fixture
def sync(cluster: ApiServer, place: Place, records: Records) -> Iterator[EnvironmentSync]:
    made = EnvironmentSync(place, cluster, SyncDiary(lambda: records), timeout_seconds=20)
    yield made
    made.close()


def config(place: Place, slot: str, name: str, wave: int | None = None, **data: str) -> Resource:
    labels = {NAME_LABEL: place.application, SLOT_LABEL: slot}
    metadata: dict[str, Any] = {"name": f"trading-{slot}-{name}", "namespace": place.namespace}
    if wave is not None:
        metadata["annotations"] = {"argocd.argoproj.io/sync-wave": str(wave)}
    return Resource(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {**metadata, "labels": labels},
            "data": data,
        }
    )


def workload(place: Place, slot: str, wave: int = 0, replicas: int = 1) -> Resource:
    labels = {NAME_LABEL: place.application, SLOT_LABEL: slot}
    return Resource(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": f"trading-{slot}-api",
                "namespace": place.namespace,
                "labels": labels,
                "annotations": {"argocd.argoproj.io/sync-wave": str(wave)},
            },
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "api", "image": "none"}]},
                },
            },
        }
    )


def endless(place: Place, slot: str) -> Resource:
    """A hook; nothing runs Jobs here. Everything else of a slot is not waited for."""
    container = {"name": "main", "image": "none"}
    return Resource(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": f"trading-{slot}-endless",
                "namespace": place.namespace,
                "labels": {NAME_LABEL: place.application, SLOT_LABEL: slot},
                "annotations": {"argocd.argoproj.io/hook": "Sync"},
            },
            "spec": {
                "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
            },
        }
    )


def tracked_by(cluster: ApiServer, key: ResourceKey, application: str) -> None:
    group = f"{key.group}/{key.kind}"
    identity = f"{application}:{group}:{key.namespace}/{key.name}"
    patch = {"metadata": {"annotations": {TRACKING: identity}}}
    cluster.patch(key, patch, kind="merge", manager="argocd-controller")


def test_what_a_slot_has_no_more_is_pruned_and_the_other_slot_is_left_alone(
    cluster: ApiServer, place: Place, sync: EnvironmentSync
) -> None:
    kept, dropped = config(place, BLUE, "kept", a="1"), config(place, BLUE, "dropped", a="1")
    other, edge = config(place, GREEN, "dropped", a="1"), config(place, "", "front", a="1")
    sync.sync(BLUE, [kept, dropped])
    sync.sync(GREEN, [other])
    sync.sync(EDGE, [edge])
    sync.sync(BLUE, [kept])
    assert cluster.get(dropped.key) is None
    assert all(cluster.get(one.key) for one in (kept, other, edge))
    sync.sync(BLUE, [])
    assert cluster.get(kept.key) is None
    assert cluster.get(other.key)
    assert cluster.get(edge.key)


def test_another_process_prunes_what_this_one_applied(
    cluster: ApiServer, place: Place, sync: EnvironmentSync, records: Records
) -> None:
    dropped = config(place, BLUE, "dropped", a="1")
    sync.sync(BLUE, [dropped, workload(place, BLUE)])
    later = EnvironmentSync(place, cluster, SyncDiary(lambda: records), timeout_seconds=20)
    try:
        later.sync(BLUE, [workload(place, BLUE)])
    finally:
        later.close()
    assert cluster.get(dropped.key) is None


def test_nothing_is_written_or_recorded_when_all_is_as_desired(
    cluster: ApiServer, place: Place, sync: EnvironmentSync, records: Records
) -> None:
    desired = [config(place, BLUE, "settings", a="1"), workload(place, BLUE)]
    sync.sync(BLUE, desired)
    before = [cluster.get(one.key) for one in desired]
    sync.sync(BLUE, desired)
    assert sync.plan(BLUE, desired) == ()
    after = [cluster.get(one.key) for one in desired]
    versions = [
        [one.metadata["resourceVersion"] for one in found if one] for found in (before, after)
    ]
    assert versions[0] == versions[1]
    assert len(syncs(records)) == 1


def test_drift_names_field_manager_and_since_when(
    cluster: ApiServer, place: Place, sync: EnvironmentSync
) -> None:
    desired = config(place, BLUE, "settings", a="1")
    sync.sync(BLUE, [desired])
    cluster.patch(desired.key, {"data": {"a": "2"}}, kind="merge", manager="kubectl-edit")
    (mend,) = mends(sync, cluster, BLUE, [desired])
    (field,) = mend.details["fields"]
    assert (field["path"], field["manager"]) == ("/data/a", "kubectl-edit")
    assert field["since"].startswith("20")
    assert "/data/a" in mend.words
    assert f"by kubectl-edit since {field['since']}" in mend.words
    mend.act()
    live = cluster.get(desired.key)
    assert live is not None
    assert live.manifest["data"] == {"a": "1"}


@pytest.mark.parametrize("which", ["application.yaml", "application-edge.yaml"])
def test_an_object_of_a_shipped_argo_cd_application_refuses_the_environment(
    cluster: ApiServer, place: Place, sync: EnvironmentSync, which: str
) -> None:
    shipped = yaml.safe_load((ROOT / "environments" / "dev" / which).read_text())
    theirs, mine = config(place, GREEN, "settings", a="1"), config(place, BLUE, "settings", a="1")
    cluster.create(theirs.manifest)
    tracked_by(cluster, theirs.key, shipped["metadata"]["name"])
    name = shipped["metadata"]["name"]
    with pytest.raises(Refused, match=f"belongs to the Application {name}"):
        sync.sync(GREEN, [theirs])
    with pytest.raises(Refused, match=f"belongs to the Application {name}"):
        sync.plan(BLUE, [mine])
    with pytest.raises(Refused, match=f"belongs to the Application {name}"):
        sync.sync(BLUE, [mine])
    assert cluster.get(mine.key) is None


def test_objects_that_were_staged_under_the_earlier_name_stay_ours_slot_by_slot(
    cluster: ApiServer, place: Place, sync: EnvironmentSync
) -> None:
    kept, dropped = config(place, BLUE, "kept", a="1"), config(place, BLUE, "dropped", a="1")
    other = config(place, GREEN, "kept", a="1")
    for one in (kept, dropped, other):
        cluster.create(one.manifest)
        tracked_by(cluster, one.key, "trading-dev")
    sync.sync(BLUE, [kept])
    live = cluster.get(kept.key)
    assert live is not None
    assert live.annotations[TRACKING].startswith("trading-dev-blue:")
    assert cluster.get(dropped.key) is None
    assert cluster.get(other.key) is not None


def test_a_sync_that_takes_too_long_says_what_was_applied_and_what_was_not(
    cluster: ApiServer, place: Place, records: Records
) -> None:
    first, hook = workload(place, BLUE), endless(place, BLUE)
    second = config(place, BLUE, "later", wave=1, a="1")
    short = EnvironmentSync(place, cluster, SyncDiary(lambda: records), timeout_seconds=1.5)
    try:
        with pytest.raises(Refused) as caught:
            short.sync(BLUE, [first, hook, second])
    finally:
        short.close()
    assert "took longer than 1.5 seconds" in caught.value.message
    assert f"; applied: {first.key}, {hook.key}; not applied: {second.key}" in caught.value.message
    (entry,) = syncs(records)
    assert entry.result == "failed"
    assert entry.options["timeout_seconds"] == 1.5
    results = {one["resource"]: one["result"] for one in entry.details["results"]}
    begun = {str(first.key): "Synced", str(hook.key): "Synced"}
    assert results == {**begun, str(second.key): "NotApplied"}


def test_a_rollback_that_takes_the_lock_ends_a_sync(
    cluster: ApiServer, place: Place, records: Records
) -> None:
    records.lock.acquire("controller", "sync", lease_seconds=60)

    class Overtaken(SyncDiary):
        def stop(self) -> Any:
            found = super().stop()
            records.lock.preempt("somebody", "rollback", lease_seconds=60)
            return found

    made = EnvironmentSync(place, cluster, Overtaken(lambda: records), timeout_seconds=20)
    late = config(place, BLUE, "later", wave=1, a="1")
    try:
        with pytest.raises(StaleToken, match="a newer operation has taken the environment over"):
            made.sync(BLUE, [endless(place, BLUE), late])
    finally:
        made.close()
    assert cluster.get(late.key) is None
    assert syncs(records)[0].result == "terminated"


def test_a_sync_is_recorded_with_options_digest_and_the_result_of_each_object(
    place: Place, sync: EnvironmentSync, records: Records
) -> None:
    desired = [config(place, BLUE, "settings", a="1"), workload(place, BLUE)]
    sync.sync(BLUE, desired)
    (entry,) = syncs(records)
    assert (entry.actor, entry.result) == ("slipway", "succeeded")
    assert entry.options["application"] == "trading-dev-blue"
    assert entry.details["manifests"].startswith("sha256:")
    results = {one["resource"]: one["result"] for one in entry.details["results"]}
    assert results == {str(one.key): "Synced" for one in desired}


def test_more_replicas_are_an_autoscalers_wish_and_none_are_drift(
    cluster: ApiServer, place: Place, sync: EnvironmentSync
) -> None:
    desired = workload(place, BLUE, replicas=2)
    sync.sync(BLUE, [desired])
    cluster.patch(desired.key, {"spec": {"replicas": 5}}, kind="merge", manager="scaler")
    assert sync.plan(BLUE, [desired]) == ()
    cluster.patch(desired.key, {"spec": {"replicas": 1}}, kind="merge", manager="scaler")
    assert soon(lambda: len(sync.plan(BLUE, [desired])) == 1)
    (step,) = sync.plan(BLUE, [desired])
    assert (step.action, step.changes[0].path) == (Action.CHANGE, "/spec/replicas")
    scaler = Resource(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": desired.name, "namespace": place.namespace},
            "spec": {
                "scaleTargetRef": {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": desired.name,
                },
                "maxReplicas": 9,
            },
        }
    )
    sync.sync(EDGE, [scaler])
    assert sync.plan(BLUE, [desired]) == ()
    cluster.patch(desired.key, {"spec": {"replicas": 0}}, kind="merge", manager="scaler")
    assert soon(lambda: len(sync.plan(BLUE, [desired])) == 1)
