"""A sync that cannot be: it says what failed, why, and what was applied; the next one converges."""

from __future__ import annotations

import threading
import time
from typing import Any

from pipelines.adapters.kubernetes.client import ApiServer, open_cluster
from pipelines.engine.sync.moves import Limits
from pipelines.model.errors import SlipwayError
from pipelines.model.sync import Retry
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


def test_one_wrong_object_keeps_all_from_being_applied(cluster: ApiServer, namespace: str) -> None:
    wrong = resource("Service", "wrong", spec={"ports": [{"port": 99999}]})
    with syncer(cluster, settings(namespace)) as sync:
        outcome = sync.sync([config_map("fine"), wrong])
    assert outcome.phase == "Failed"
    assert "spec.ports[0].port" in messages(outcome)["wrong"]
    assert cluster.get(key(namespace, "fine")) is None


def test_an_immutable_field_is_named_with_what_would_change_it(
    cluster: ApiServer, namespace: str
) -> None:
    with syncer(cluster, settings(namespace)) as sync:
        assert sync.sync([job("work", image="one")]).phase == "Succeeded"
        outcome = sync.sync([job("work", image="two")])
    assert outcome.phase == "Failed"
    assert "immutable" in messages(outcome)["work"]
    assert "Replace=true" in messages(outcome)["work"]


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
        outcome = sync.sync(
            [config_map("fine"), resource("Secret", "token", stringData={"a": "b"})]
        )
    assert outcome.phase == "Failed"
    assert "patch secrets" in messages(outcome)["token"]
    assert weak.get(key(namespace, "fine")) is None, "nothing is applied when a part cannot be"
    weak.close()


def test_a_webhook_that_does_not_answer_is_named(cluster: ApiServer, namespace: str) -> None:
    selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    hook = {
        "name": "guard.example.org",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"],
                   "resources": ["services"]}],
        "namespaceSelector": selector,
        "sideEffects": "None",
        "timeoutSeconds": 1,
        "admissionReviewVersions": ["v1"],
    }  # fmt: skip
    guard = resource(
        "ValidatingWebhookConfiguration", f"guard-{namespace}",
        api="admissionregistration.k8s.io/v1", webhooks=[hook],
    )  # fmt: skip
    cluster.apply(guard.manifest)
    service = resource("Service", "web", spec={"ports": [{"port": 80}]})

    def refused() -> bool:
        with syncer(cluster, settings(namespace)) as sync:
            outcome = sync.sync([service])
        return "guard.example.org" in messages(outcome).get("web", "")

    try:
        assert soon(refused, 20)
    finally:
        cluster.delete(guard.key)


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
    with syncer(cluster, settings(namespace)) as sync:
        threading.Timer(0.7, api_server.stop_server).start()
        try:
            outcome = sync.sync(desired, limits=SHORT)
            assert outcome.phase in ("Failed", "Error")
            applied = [name for name, code in codes(outcome).items() if code == "Synced"]
            failed = [name for name, code in codes(outcome).items() if code == "SyncFailed"]
            assert failed
            assert "API server" in messages(outcome)[failed[0]]
        except SlipwayError:
            applied = []
        finally:
            soon(lambda: api_server.server is None)
            api_server.start_server()
        for name in applied:
            assert data(cluster, namespace, name) == {"a": "1"}
        assert soon(lambda: sync.sync(desired, limits=SHORT).phase == "Succeeded", 30)
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


def allow(api_server: ApiServerProcess, namespace: str, rules: list[dict[str, Any]]) -> None:
    api = "rbac.authorization.k8s.io"
    metadata = {"name": "weak", "namespace": namespace}
    place = f"/apis/{api}/v1/namespaces/{namespace}"
    role = {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": metadata, "rules": rules}
    binding = {
        "apiVersion": f"{api}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": api, "kind": "Role", "name": "weak"},
        "subjects": [{"kind": "User", "name": "weak", "apiGroup": api}],
    }
    assert api_server.request("POST", f"{place}/roles", role)[0] == 201
    assert api_server.request("POST", f"{place}/rolebindings", binding)[0] == 201
