"""The live cache against a real API server: it follows, survives and stays small."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from pipelines.adapters.kubernetes.client import ApiServer, open_cluster
from pipelines.model.resource import Manifest, ResourceKey
from pipelines.targets.kubernetes.cluster import TRACKING, ApiRefused
from pipelines.targets.kubernetes.live_cache import WatchedCache
from tests.kubernetes.api_server import ApiServerProcess

KIND = ("", "ConfigMap")


def config_map(namespace: str, name: str, *, application: str = "", **data: str) -> Manifest:
    metadata: dict[str, object] = {"name": name, "namespace": namespace}
    if application:
        metadata["annotations"] = {TRACKING: f"{application}:/ConfigMap:{namespace}/{name}"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def key(namespace: str, name: str) -> ResourceKey:
    return ResourceKey("", "ConfigMap", namespace, name)


def soon(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()


@pytest.fixture
def cache(cluster: ApiServer) -> Iterator[WatchedCache]:
    found = WatchedCache(cluster)
    yield found
    found.stop()


def data(cache: WatchedCache, wanted: ResourceKey) -> object:
    live = cache.get(wanted)
    return None if live is None else live.manifest.get("data")


def test_what_was_there_and_what_comes_later_is_in_the_cache(
    cluster: ApiServer, cache: WatchedCache, namespace: str
) -> None:
    cluster.apply(config_map(namespace, "old", a="1"))
    cache.start([KIND], [namespace])
    assert data(cache, key(namespace, "old")) == {"a": "1"}
    cluster.apply(config_map(namespace, "new", a="2"))
    cluster.apply(config_map(namespace, "old", a="3"))
    assert soon(lambda: data(cache, key(namespace, "new")) == {"a": "2"})
    assert soon(lambda: data(cache, key(namespace, "old")) == {"a": "3"})
    cluster.delete(key(namespace, "old"))
    assert soon(lambda: cache.get(key(namespace, "old")) is None)


def test_only_what_carries_its_own_tracking_id_is_an_applications(
    cluster: ApiServer, cache: WatchedCache, namespace: str
) -> None:
    cluster.apply(config_map(namespace, "ours", application="shop"))
    cluster.apply(config_map(namespace, "theirs", application="bank"))
    copied = config_map(namespace, "ours", application="shop")
    copied = {**copied, "metadata": {**copied["metadata"], "name": "copied"}}
    cluster.apply(copied)
    cache.start([KIND], [namespace])
    assert list(cache.of("shop")) == [key(namespace, "ours")]


def test_listeners_hear_of_a_change(
    cluster: ApiServer, cache: WatchedCache, namespace: str
) -> None:
    cache.start([KIND], [namespace])
    heard: list[ResourceKey] = []
    cache.on_change(heard.append)
    cluster.apply(config_map(namespace, "values", a="1"))
    assert soon(lambda: key(namespace, "values") in heard)


def test_a_kind_that_may_not_be_listed_is_refused_at_once(
    api_server: ApiServerProcess, namespace: str
) -> None:
    path = api_server.write_kubeconfig(api_server.folder / "weak", "token-of-weak")
    weak = open_cluster(kubeconfig=path)
    cache = WatchedCache(weak)
    started = time.monotonic()
    with pytest.raises(ApiRefused, match="cannot list ConfigMap") as refused:
        cache.start([KIND], [namespace])
    assert time.monotonic() - started < 5
    assert "list configmaps" in refused.value.hint
    cache.stop()
    weak.close()


def test_a_kind_that_is_not_served_yet_counts_as_empty(cache: WatchedCache, namespace: str) -> None:
    cache.start([("example.org", "Widget")], [namespace])
    assert cache.covers("example.org", "Widget")
    assert len(cache.store) == 0


def test_it_goes_on_after_the_api_server_was_killed(
    api_server: ApiServerProcess, cluster: ApiServer, cache: WatchedCache, namespace: str
) -> None:
    """The new server knows no old versions, so this is also what 410 Gone leads to."""
    cluster.apply(config_map(namespace, "kept", a="1"))
    cluster.apply(config_map(namespace, "gone", a="1"))
    cache.start([KIND], [namespace])
    api_server.stop_server()
    api_server.start_server()
    cluster.delete(key(namespace, "gone"))
    cluster.apply(config_map(namespace, "kept", a="2"))
    assert soon(lambda: data(cache, key(namespace, "kept")) == {"a": "2"}, 20)
    assert soon(lambda: cache.get(key(namespace, "gone")) is None, 20)


def test_stopping_ends_every_watch(cluster: ApiServer, namespace: str) -> None:
    cache = WatchedCache(cluster)
    cache.start([KIND, ("apps", "Deployment")], [namespace])
    started = time.monotonic()
    cache.stop()
    assert time.monotonic() - started < 2
