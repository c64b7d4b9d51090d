"""A sync that cannot be: it says what failed, why, and what was applied; the next one converges."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pipelines.adapters.kubernetes.client import ApiServer, open_cluster
from pipelines.engine.sync.moves import Limits
from pipelines.model.resource import Resource
from pipelines.model.sync import Retry
from pipelines.targets.kubernetes.sync_run import Syncer
from tests.kubernetes.api_server import ApiServerProcess
from tests.kubernetes.syncing import (
    SHORT,
    codes,
    config_map,
    data,
    job,
    key,
    messages,
    resource,
    settings,
    soon,
    syncer,
)
from tests.kubernetes.webhooks import configuration, deny, webhook


def test_one_wrong_object_keeps_all_from_being_applied(cluster: ApiServer, namespace: str) -> None:
    wrong = resource("Service", "wrong", spec={"ports": [{"port": 99999}]})
    with syncer(cluster, settings(namespace)) as sync:
        outcome = sync.sync([config_map("fine"), wrong])
        assert outcome.phase == "Failed"
        assert "spec.ports[0].port" in messages(outcome)["wrong"]
        assert cluster.get(key(namespace, "fine")) is None
        right = resource("Service", "wrong", spec={"ports": [{"port": 99}]})
        converges(sync, [config_map("fine"), right])


def test_an_immutable_field_is_named_with_what_would_change_it(
    cluster: ApiServer, namespace: str
) -> None:
    with syncer(cluster, settings(namespace)) as sync:
        assert sync.sync([job("work", image="one")]).phase == "Succeeded"
        outcome = sync.sync([job("work", image="two")])
        assert outcome.phase == "Failed"
        assert "immutable" in messages(outcome)["work"]
        assert "Replace=true" in messages(outcome)["work"]
        converges(sync, [job("work", image="one")])


def test_replace_with_force_makes_a_new_object(cluster: ApiServer, namespace: str) -> None:
    options = {"sync_options": "Replace=true,Force=true"}
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync([job("work", image="one", annotations=options)])
        before = cluster.get(key(namespace, "work", "Job", "batch"))

        def collect() -> None:
            """Without a garbage collector nobody ends a deletion in the foreground."""
            where = key(namespace, "work", "Job", "batch")
            soon(lambda: "deletionTimestamp" in getattr(cluster.get(where), "metadata", {}))
            cluster.patch(where, {"metadata": {"finalizers": None}}, kind="merge")

        collector = threading.Thread(target=collect)
        collector.start()
        outcome = sync.sync([job("work", image="two", annotations=options)])
        collector.join()
    after = cluster.get(key(namespace, "work", "Job", "batch"))
    assert outcome.phase == "Succeeded", messages(outcome)
    assert before is not None
    assert after is not None
    assert after.metadata["uid"] != before.metadata["uid"]


def test_a_finalizer_that_never_ends_is_named_when_time_is_up(
    cluster: ApiServer, namespace: str
) -> None:
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync([config_map("kept"), config_map("held")])
        hold = {"metadata": {"finalizers": ["example.org/hold"]}}
        cluster.patch(key(namespace, "held"), hold, kind="merge")
        started = time.monotonic()
        desired = [config_map("kept"), config_map("hook", annotations={"hook": "PostSync"})]
        outcome = sync.sync(desired, limits=Limits(operation_seconds=3))
        assert time.monotonic() - started < 10
        assert outcome.phase == "Failed"
        assert "example.org/hold" in outcome.message + messages(outcome)["held"]
        cluster.patch(key(namespace, "held"), {"metadata": {"finalizers": None}}, kind="merge")
        converges(sync, desired)


def test_a_kind_that_may_not_be_written_is_named_with_the_missing_right(
    api_server: ApiServerProcess, namespace: str
) -> None:
    allow(api_server, namespace, [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]},
                                  {"apiGroups": [""], "resources": ["secrets"],
                                   "verbs": ["list", "watch"]}])  # fmt: skip
    weak = open_cluster(
        kubeconfig=api_server.write_kubeconfig(api_server.folder / "weak", "token-of-weak")
    )
    with syncer(weak, settings(namespace)) as sync:
        desired = [config_map("fine"), resource("Secret", "token", stringData={"a": "b"})]
        outcome = sync.sync(desired)
        assert outcome.phase == "Failed"
        assert "patch secrets" in messages(outcome)["token"]
        assert weak.get(key(namespace, "fine")) is None, "nothing is applied when a part cannot be"
        allow(
            api_server, namespace, [{"apiGroups": [""], "resources": ["*"], "verbs": ["*"]}], "more"
        )
        converges(sync, desired)
    weak.close()


@pytest.mark.parametrize("how", ["does not answer", "says no"])
def test_a_webhook_that_refuses_is_named(
    cluster: ApiServer, namespace: str, how: str, tmp_path: Path
) -> None:
    desired = [config_map("fine"), resource("Service", "web", spec={"ports": [{"port": 80}]})]
    words = "no service without a team" if how == "says no" else "guard.example.org"
    with ExitStack() as stack:
        client = {"url": "https://127.0.0.1:1/"}
        if how == "says no":
            client = stack.enter_context(webhook(tmp_path, deny(words)))
        guard = Resource(configuration("Validating", namespace, "services", client), "guard")
        cluster.apply(guard.manifest)
        stack.callback(cluster.delete, guard.key)
        sync = stack.enter_context(syncer(cluster, settings(namespace)))

        def refused() -> bool:
            """The server takes a moment to know of it."""
            return words in messages(sync.sync(desired)).get("web", "")

        assert soon(refused, 20)
    with syncer(cluster, settings(namespace)) as sync:
        converges(sync, desired)


def test_a_namespace_that_is_being_deleted_says_so(cluster: ApiServer, namespace: str) -> None:
    going = key("", namespace, "Namespace")
    cluster.delete(going)
    with syncer(cluster, settings(namespace)) as sync:
        outcome = sync.sync([config_map("late")])
    assert outcome.phase == "Failed"
    assert "being deleted" in messages(outcome)["late"]


def test_a_server_that_dies_half_way_leaves_a_list_of_what_was_applied(
    api_server: ApiServerProcess, cluster: ApiServer, namespace: str
) -> None:
    desired = [config_map(f"values-{number:03}", a="1") for number in range(400)]
    middle = key(namespace, "values-100")

    def die() -> None:
        if soon(lambda: cluster.get(middle) is not None):
            api_server.stop_server()

    with syncer(cluster, settings(namespace)) as sync:
        death = threading.Thread(target=die)
        death.start()
        try:
            outcome = sync.sync(desired, limits=SHORT)
        finally:
            death.join()
            api_server.start_server()
        assert outcome.phase in ("Failed", "Error")
        said = codes(outcome)
        applied = [name for name, code in said.items() if code == "Synced"]
        failed = [name for name, code in said.items() if code == "SyncFailed"]
        assert "values-000" in applied
        assert "API server" in messages(outcome)[failed[0]]
        assert "values-399" not in applied
        for name in applied:
            assert data(cluster, namespace, name) == {"a": "1"}
        converges(sync, desired)
    assert data(cluster, namespace, "values-399") == {"a": "1"}


def test_an_attempt_that_failed_is_tried_again(
    api_server: ApiServerProcess, cluster: ApiServer, namespace: str
) -> None:
    late = f"{namespace}-late"
    retry = Retry(limit=5, seconds=0.3, factor=1.0)

    def make() -> None:
        body: Any = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": late}}
        api_server.request("POST", "/api/v1/namespaces", body)

    with syncer(cluster, settings(late, retry=retry)) as sync:
        threading.Timer(0.5, make).start()
        outcome = sync.sync([config_map("one")])
    assert outcome.phase == "Succeeded", outcome
    assert outcome.details["attempts"] > 1


def test_a_newer_commit_ends_the_operation(cluster: ApiServer, namespace: str) -> None:
    hook = job("wait", annotations={"hook": "PreSync"})
    started = time.monotonic()
    with syncer(cluster, settings(namespace)) as sync:
        late = started + 1.5
        outcome = sync.sync(
            [config_map("after"), hook],
            stop=lambda: "a newer commit" if time.monotonic() > late else "",
        )
    assert outcome.phase in ("Failed", "Terminated")
    assert "a newer commit" in outcome.message
    assert time.monotonic() - started < 10
    assert cluster.get(key(namespace, "after")) is None


def converges(sync: Syncer, desired: list[Resource]) -> None:
    """What failed before is as desired after one more sync, which then finds nothing to do."""
    assert soon(lambda: sync.sync(desired, limits=SHORT).phase == "Succeeded", 20)
    assert sync.diff(desired) == ()


def allow(
    api_server: ApiServerProcess, namespace: str, rules: list[dict[str, Any]], name: str = "weak"
) -> None:
    api = "rbac.authorization.k8s.io"
    metadata = {"name": name, "namespace": namespace}
    place = f"/apis/{api}/v1/namespaces/{namespace}"
    role = {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": metadata, "rules": rules}
    binding = {
        "apiVersion": f"{api}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": api, "kind": "Role", "name": name},
        "subjects": [{"kind": "User", "name": "weak", "apiGroup": api}],
    }
    assert api_server.request("POST", f"{place}/roles", role)[0] == 201
    assert api_server.request("POST", f"{place}/rolebindings", binding)[0] == 201
