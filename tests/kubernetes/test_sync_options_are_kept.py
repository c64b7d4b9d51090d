"""Sync options, waves of prunes and ignored fields, as a real API server sees them."""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Sequence

import pytest

from pipelines.adapters.kubernetes.client import ApiServer
from pipelines.model.resource import Resource
from pipelines.model.sync import IgnoreRule
from tests.kubernetes.api_server import TOKEN, ApiServerProcess
from tests.kubernetes.syncing import codes, config_map, data, key, messages, settings, soon, syncer
from tests.kubernetes.syncing import resource as any_resource

LAST = {"sync_options": "PruneLast=true"}


def happened(api_server: ApiServerProcess, namespace: str, since: str) -> list[tuple[str, str]]:
    """Of config maps, in the server's own order: what was done, and to which."""
    query = f"watch=1&resourceVersion={since}&timeoutSeconds=1"
    request = urllib.request.Request(
        f"{api_server.url}/api/v1/namespaces/{namespace}/configmaps?{query}",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(request, context=context, timeout=10) as answer:
        events = [json.loads(line) for line in answer]
    return [(one["type"], one["object"]["metadata"]["name"]) for one in events]


def order(
    api_server: ApiServerProcess,
    cluster: ApiServer,
    namespace: str,
    before: Sequence[Resource],
    after: Sequence[Resource],
    *options: str,
) -> list[tuple[str, str]]:
    """What the second sync did, first to last."""
    with syncer(cluster, settings(namespace, *options)) as sync:
        assert sync.sync([*before]).phase == "Succeeded"
        path = f"/api/v1/namespaces/{namespace}/configmaps"
        since = api_server.request("GET", path)[1]["metadata"]["resourceVersion"]
        outcome = sync.sync([*after])
    assert outcome.phase == "Succeeded", messages(outcome)
    return happened(api_server, namespace, since)


def test_what_may_not_be_pruned_is_named_and_left(cluster: ApiServer, namespace: str) -> None:
    careful = {"sync_options": "Prune=false"}
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync([config_map("kept"), config_map("mine", annotations=careful), config_map("gone")])
        outcome = sync.sync([config_map("kept")])
    assert codes(outcome) == {"kept": "Synced", "mine": "PruneSkipped", "gone": "Pruned"}
    assert cluster.get(key(namespace, "mine")) is not None
    assert cluster.get(key(namespace, "gone")) is None


@pytest.mark.parametrize("on", ["the object", "the application"])
def test_with_prune_last_all_else_is_there_first(
    api_server: ApiServerProcess, cluster: ApiServer, namespace: str, on: str
) -> None:
    old = config_map("old", annotations=LAST if on == "the object" else None)
    options = ("PruneLast",) if on == "the application" else ()
    late = config_map("late", annotations={"sync_wave": "3"})
    did = order(api_server, cluster, namespace, [old], [late], *options)
    assert did == [("ADDED", "late"), ("DELETED", "old")]


def test_without_it_what_goes_makes_room_first(
    api_server: ApiServerProcess, cluster: ApiServer, namespace: str
) -> None:
    late = config_map("late", annotations={"sync_wave": "3"})
    did = order(api_server, cluster, namespace, [config_map("old")], [late])
    assert did == [("DELETED", "old"), ("ADDED", "late")]


def test_prunes_go_in_mirrored_waves(
    api_server: ApiServerProcess, cluster: ApiServer, namespace: str
) -> None:
    def wave(number: int) -> Resource:
        return config_map(f"wave-{number}", annotations={"sync_wave": str(number)})

    kept = config_map("kept")
    did = order(api_server, cluster, namespace, [kept, *map(wave, (-2, 0, 5))], [kept])
    assert did == [("DELETED", "wave-5"), ("DELETED", "wave-0"), ("DELETED", "wave--2")]


def test_a_kind_that_nobody_knows_yet_may_come_without_a_dry_run(
    cluster: ApiServer, namespace: str
) -> None:
    """Whatever makes it known may do so while the sync runs; what comes before it is applied."""
    group = f"{namespace}.example.com"
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    gadget = any_resource("Gadget", "one", api=f"{group}/v1", spec={"size": 1})
    patient = {"sync_options": "SkipDryRunOnMissingResource=true", "sync_wave": "1"}
    late = any_resource("Gadget", "one", api=f"{group}/v1", annotations=patient, spec={"size": 1})
    with syncer(cluster, settings(namespace)) as sync:
        refused = sync.sync([config_map("fine"), gadget])
        assert refused.phase == "Failed"
        assert cluster.get(key(namespace, "fine")) is None
        tried = sync.sync([config_map("fine"), late])
        assert tried.phase == "Failed"
        assert cluster.get(key(namespace, "fine")) is not None
        definition = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"gadgets.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
        }
        cluster.apply(definition)
        # The server takes a moment to serve what it was just told of.
        assert soon(lambda: sync.sync([config_map("fine"), late]).phase == "Succeeded")
    assert cluster.get(key(namespace, "one", "Gadget", group)) is not None


def test_with_apply_out_of_sync_only_what_is_as_desired_is_not_in_the_sync(
    cluster: ApiServer, namespace: str
) -> None:
    before = [config_map(f"values-{number}", a="1") for number in range(5)]
    after = [config_map("values-0", a="2"), *before[1:]]
    with syncer(cluster, settings(namespace, "ApplyOutOfSyncOnly")) as sync:
        sync.sync(before)
        outcome = sync.sync(after)
    assert codes(outcome) == {"values-0": "Synced"}
    assert data(cluster, namespace, "values-0") == {"a": "2"}


def test_what_a_named_manager_owns_is_no_difference(cluster: ApiServer, namespace: str) -> None:
    rule = IgnoreRule(kind="ConfigMap", managed_fields_managers=("somebody",))
    wanted = [config_map("values", mine="1", theirs="first")]
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "values", "namespace": namespace},
        "data": {"theirs": "second"},
    }
    with syncer(cluster, settings(namespace)) as strict:
        strict.sync(wanted)
        cluster.apply(body, manager="somebody", force=True)
        assert soon(lambda: len(strict.diff(wanted)) == 1)
    with syncer(cluster, settings(namespace, ignore=(rule,))) as sync:
        assert sync.diff(wanted) == ()
