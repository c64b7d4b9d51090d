"""A sync against a real API server: what it makes, changes, prunes and leaves alone."""

from __future__ import annotations

import time

import pytest

from pipelines.adapters.kubernetes.client import ApiServer
from pipelines.model.errors import Refused
from pipelines.model.sync import Action, IgnoreRule
from pipelines.targets.kubernetes.cluster import TRACKING
from tests.kubernetes.syncing import (
    codes,
    config_map,
    data,
    key,
    messages,
    resource,
    settings,
    syncer,
)


def test_everything_desired_is_there_afterwards_and_tracked(
    cluster: ApiServer, namespace: str
) -> None:
    desired = [config_map("one", a="1"), resource("Secret", "two", stringData={"b": "2"})]
    with syncer(cluster, settings(namespace)) as sync:
        outcome = sync.sync(desired)
    assert outcome.phase == "Succeeded", outcome
    assert codes(outcome) == {"one": "Synced", "two": "Synced"}
    live = cluster.get(key(namespace, "one"))
    assert live is not None
    assert live.annotations[TRACKING] == f"shop:/ConfigMap:{namespace}/one"


def test_the_same_again_sends_nothing(cluster: ApiServer, namespace: str) -> None:
    desired = [config_map(f"values-{number}", a="1") for number in range(20)]
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync(desired)
        again = sync.sync(desired)
        assert sync.diff(desired) == ()
    assert again.phase == "Succeeded"
    assert again.details["requests"] == 0
    with syncer(cluster, settings(namespace)) as restarted:
        assert restarted.sync(desired).details["requests"] == 0


def test_only_what_differs_is_sent(cluster: ApiServer, namespace: str) -> None:
    before = [config_map(f"values-{number}", a="1") for number in range(5)]
    after = [config_map("values-0", a="2"), *before[1:]]
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync(before)
        plan = {step.key.name: step.action for step in sync.plan(after).steps}
        outcome = sync.sync(after)
    assert [name for name, action in plan.items() if action is Action.CHANGE] == ["values-0"]
    assert outcome.details["requests"] == 1, "the change; the dry run that decided was the plan's"
    assert data(cluster, namespace, "values-0") == {"a": "2"}


def test_what_is_not_desired_any_more_is_pruned_and_nothing_else(
    cluster: ApiServer, namespace: str
) -> None:
    stranger = config_map("stranger").manifest
    cluster.apply({**stranger, "metadata": {"name": "stranger", "namespace": namespace}})
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync([config_map("kept"), resource("Secret", "gone")])
    with syncer(cluster, settings(namespace)) as restarted:
        outcome = restarted.sync([config_map("kept")])
    assert codes(outcome) == {"kept": "Synced", "gone": "Pruned"}
    assert cluster.get(key(namespace, "gone", "Secret")) is None
    assert cluster.get(key(namespace, "stranger")) is not None


def test_without_prune_it_is_named_and_left(cluster: ApiServer, namespace: str) -> None:
    with syncer(cluster, settings(namespace, prune=False)) as sync:
        sync.sync([config_map("kept"), config_map("gone")])
        outcome = sync.sync([config_map("kept")])
    assert codes(outcome)["gone"] == "PruneSkipped"
    assert cluster.get(key(namespace, "gone")) is not None


def test_an_object_of_another_application_is_refused_and_nothing_is_written(
    cluster: ApiServer, namespace: str
) -> None:
    taken = config_map("taken", a="1").manifest
    tracking = {TRACKING: f"bank:/ConfigMap:{namespace}/taken"}
    metadata = {"name": "taken", "namespace": namespace, "annotations": tracking}
    cluster.apply({**taken, "metadata": metadata})
    with syncer(cluster, settings(namespace)) as sync, pytest.raises(Refused, match="bank"):
        sync.sync([config_map("mine"), config_map("taken", a="2")])
    assert cluster.get(key(namespace, "mine")) is None
    assert data(cluster, namespace, "taken") == {"a": "1"}


def test_an_empty_branch_prunes_nothing(cluster: ApiServer, namespace: str) -> None:
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync([config_map("kept")])
        with pytest.raises(Refused, match="nothing is desired"):
            sync.sync([])
    assert cluster.get(key(namespace, "kept")) is not None


def test_a_namespace_is_made_when_asked_for(cluster: ApiServer, namespace: str) -> None:
    fresh = f"{namespace}-fresh"
    with syncer(cluster, settings(fresh, "CreateNamespace")) as sync:
        outcome = sync.sync([config_map("one")])
    assert outcome.phase == "Succeeded", outcome
    assert cluster.get(key(fresh, "one")) is not None


def test_a_definition_and_its_object_come_in_one_sync(cluster: ApiServer, namespace: str) -> None:
    group = f"{namespace}.example.org"
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget"}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    definition = resource(
        "CustomResourceDefinition", f"widgets.{group}", api="apiextensions.k8s.io/v1",
        spec={"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    )  # fmt: skip
    widget = resource("Widget", "first", api=f"{group}/v1", spec={"size": 3})
    with syncer(cluster, settings(namespace)) as sync:
        outcome = sync.sync([widget, definition])
        assert outcome.phase == "Succeeded", messages(outcome)
        again = sync.sync([widget, definition])
    assert cluster.get(key(namespace, "first", "Widget", group)) is not None
    assert again.details["requests"] == 0


def test_what_others_own_by_an_ignore_rule_stays_theirs(cluster: ApiServer, namespace: str) -> None:
    rule = IgnoreRule(kind="ConfigMap", json_pointers=("/data/theirs",))
    wanted = settings(namespace, "RespectIgnoreDifferences", ignore=(rule,))
    with syncer(cluster, wanted) as sync:
        sync.sync([config_map("values", mine="1", theirs="first")])
    cluster.patch(key(namespace, "values"), {"data": {"theirs": "second"}}, kind="merge")
    # One that begins reads what is there; the other would wait for its watch.
    with syncer(cluster, wanted) as later:
        outcome = later.sync([config_map("values", mine="2", theirs="first")])
    assert outcome.phase == "Succeeded", outcome
    assert data(cluster, namespace, "values") == {"mine": "2", "theirs": "second"}


def test_what_must_be_confirmed_is_pruned_only_then(cluster: ApiServer, namespace: str) -> None:
    careful = {"sync-options": "Prune=confirm"}
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync([config_map("kept"), config_map("precious", annotations=careful)])
        late = time.monotonic() + 1
        held = sync.sync(
            [config_map("kept")], stop=lambda: "enough" if time.monotonic() > late else ""
        )
        assert held.phase != "Succeeded"
        assert cluster.get(key(namespace, "precious")) is not None
        assert sync.sync([config_map("kept")], confirmed=lambda: True).phase == "Succeeded"
    assert cluster.get(key(namespace, "precious")) is None
