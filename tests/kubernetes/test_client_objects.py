"""The client against a real API server: objects written, read, listed, watched and deleted."""

from __future__ import annotations

import threading

import pytest

from pipelines.adapters.kubernetes.client import PAGE, ApiServer, open_cluster
from pipelines.model.errors import BadInput, Unavailable
from pipelines.model.resource import Manifest, ResourceKey
from pipelines.targets.kubernetes.cluster import ApiRefused
from tests.kubernetes.api_server import ApiServerProcess


def config_map(namespace: str, name: str, **data: str) -> Manifest:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def key(namespace: str, name: str) -> ResourceKey:
    return ResourceKey("", "ConfigMap", namespace, name)


def test_what_was_applied_is_read_again_and_belongs_to_slipway(
    cluster: ApiServer, namespace: str
) -> None:
    cluster.apply(config_map(namespace, "values", a="1"))
    live = cluster.get(key(namespace, "values"))
    assert live is not None
    assert live.manifest["data"] == {"a": "1"}
    managers = [(m["manager"], m["operation"]) for m in live.metadata["managedFields"]]
    assert managers == [("slipway", "Apply")]


def test_a_field_that_is_not_desired_any_more_goes_away(cluster: ApiServer, namespace: str) -> None:
    cluster.apply(config_map(namespace, "values", a="1", b="2"))
    live = cluster.apply(config_map(namespace, "values", a="1"))
    assert live.manifest["data"] == {"a": "1"}


def test_a_dry_run_leaves_nothing_behind(cluster: ApiServer, namespace: str) -> None:
    cluster.apply(config_map(namespace, "values", a="1"), dry_run=True)
    assert cluster.get(key(namespace, "values")) is None


def test_a_list_longer_than_a_page_is_complete(cluster: ApiServer, namespace: str) -> None:
    wanted = PAGE + 3
    for number in range(wanted):
        cluster.create(config_map(namespace, f"values-{number}"))
    found, version = cluster.list("", "ConfigMap", namespace=namespace)
    assert len({resource.name for resource in found}) == wanted
    assert all(resource.kind == "ConfigMap" for resource in found)
    assert version.isdigit()


def test_a_watch_tells_every_change_after_the_version_it_starts_from(
    cluster: ApiServer, namespace: str
) -> None:
    _, version = cluster.list("", "ConfigMap", namespace=namespace)
    cluster.apply(config_map(namespace, "one", a="1"))
    cluster.apply(config_map(namespace, "one", a="2"))
    cluster.delete(key(namespace, "one"))
    seen = []
    watch = cluster.watch("", "ConfigMap", namespace=namespace, version=version, seconds=5)
    for event in watch:
        seen.append(event.type)
        if event.type == "DELETED":
            break
    assert seen == ["ADDED", "MODIFIED", "DELETED"]


def test_a_watch_is_ended_from_another_thread(cluster: ApiServer, namespace: str) -> None:
    watch = cluster.watch("", "ConfigMap", namespace=namespace, version="", seconds=60)
    ended = threading.Event()

    def follow() -> None:
        for _ in watch:
            pass
        ended.set()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    assert not ended.wait(0.3)
    watch.close()
    assert ended.wait(5)


def test_deleting_what_is_not_there_says_so(cluster: ApiServer, namespace: str) -> None:
    assert cluster.delete(key(namespace, "nothing")) is False
    assert cluster.get(key(namespace, "nothing")) is None


def test_patches_change_what_they_name(cluster: ApiServer, namespace: str) -> None:
    cluster.apply(config_map(namespace, "values", a="1", b="2"))
    cluster.patch(key(namespace, "values"), {"data": {"a": None}}, kind="merge")
    test = [{"op": "replace", "path": "/data/b", "value": "3"}]
    live = cluster.patch(key(namespace, "values"), test, kind="json")
    assert live.manifest["data"] == {"b": "3"}


def test_discovery_names_scope_and_plural_of_every_kind(cluster: ApiServer) -> None:
    kinds = cluster.kinds()
    assert kinds[("apps", "Deployment")].plural == "deployments"
    assert kinds[("apps", "Deployment")].namespaced
    assert not kinds[("", "Namespace")].namespaced
    assert kinds[("autoscaling", "HorizontalPodAutoscaler")].version == "v2"


def test_an_unknown_kind_is_refused_by_name(cluster: ApiServer) -> None:
    with pytest.raises(ApiRefused, match=r"no kind Rollout of group argoproj\.io") as refused:
        cluster.get(ResourceKey("argoproj.io", "Rollout", "default", "x"))
    assert refused.value.reason == "NoKind"


def test_an_unknown_field_is_refused_and_named(cluster: ApiServer, namespace: str) -> None:
    wrong = {**config_map(namespace, "values"), "dta": {}}
    with pytest.raises(ApiRefused, match="dta"):
        cluster.apply(wrong)


def test_a_missing_right_is_named_with_verb_and_resource(
    api_server: ApiServerProcess, namespace: str
) -> None:
    path = api_server.write_kubeconfig(api_server.folder / "weak", "token-of-weak")
    weak = open_cluster(kubeconfig=path)
    with pytest.raises(ApiRefused) as refused:
        weak.apply(config_map(namespace, "values"))
    weak.close()
    assert refused.value.reason == "Forbidden"
    assert f"cannot apply ConfigMap {namespace}/values" in refused.value.message
    assert "patch configmaps" in refused.value.hint


def test_what_is_said_about_a_secret_never_shows_its_value(
    cluster: ApiServer, namespace: str
) -> None:
    wrong = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "token", "namespace": namespace},
        "data": {"not a key!": "aHVudGVyMg=="},
    }
    with pytest.raises(ApiRefused) as refused:
        cluster.apply(wrong)
    assert "aHVudGVyMg" not in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_wrong_token_says_to_log_in_again(api_server: ApiServerProcess) -> None:
    path = api_server.write_kubeconfig(api_server.folder / "stranger", "nobody-knows-it")
    stranger = open_cluster(kubeconfig=path)
    with pytest.raises(ApiRefused) as refused:
        stranger.kinds()
    stranger.close()
    assert refused.value.reason == "Unauthorized"
    assert "nobody-knows-it" not in str(refused.value)


def test_a_context_that_is_not_there_is_refused_with_those_that_are(
    api_server: ApiServerProcess,
) -> None:
    with pytest.raises(BadInput, match=r"no context 'production'.*slipway-test"):
        open_cluster("production", api_server.kubeconfig)


def test_a_server_that_is_away_is_unavailable_at_once(api_server: ApiServerProcess) -> None:
    text = api_server.kubeconfig.read_text().replace(str(api_server.port), "1")
    path = api_server.folder / "away"
    path.write_text(text)
    with pytest.raises(Unavailable, match="does not answer"):
        open_cluster(kubeconfig=path).kinds()
