"""What a watch of live objects makes of what nobody expects, and of a list that comes late."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from pipelines.model.resource import Resource
from pipelines.targets.kubernetes.cluster import Event
from pipelines.targets.kubernetes.live_cache import WatchedCache
from tests.unit.kubernetes.memory import NAMESPACE, MemoryCluster, config, refused, soon

KIND = ("", "ConfigMap")


def opened(cluster: MemoryCluster, told: list[str]) -> WatchedCache:
    cache = WatchedCache(cast(Any, cluster), told.append)
    cache.start([KIND], [NAMESPACE])
    return cache


class Nonsense(MemoryCluster):
    """Its first watch sends a line that is no object."""

    def __init__(self) -> None:
        super().__init__()
        self.watches = 0

    def watch(self, group: str, kind: str, **asked: Any) -> Iterator[Event]:
        self.watches += 1
        if self.watches == 1:
            yield Event("MODIFIED", {"kind": "Status"})
        yield from super().watch(group, kind, **asked)


def test_a_watch_that_meets_nonsense_tells_it_and_lists_again() -> None:
    cluster, told = Nonsense(), list[str]()
    cache = opened(cluster, told)
    try:
        assert soon(lambda: bool(told))
        cluster.by_hand(config("later", a="1"))
        assert soon(lambda: cache.get(config("later").key) is not None)
    finally:
        cache.stop()
    assert told == [
        "the watch of ConfigMap in shop has a defect: KeyError: 'metadata'; "
        "listing everything anew, again and again"
    ]


class Forgets(MemoryCluster):
    """Its first watch has forgotten where we were; while it is listed anew something is written, and
    its answer comes before the list does."""

    def __init__(self) -> None:
        super().__init__()
        self.lists = 0
        self.cache: WatchedCache | None = None

    def pages(
        self, group: str, kind: str, **asked: Any
    ) -> Iterator[tuple[Sequence[Resource], str]]:
        found = self.list(group, kind)
        self.lists += 1
        if self.cache is not None:
            self.cache.store.put(self.by_hand(config("fresh", a="1")).manifest)
        yield found

    def watch(self, group: str, kind: str, *, version: str, **asked: Any) -> Iterator[Event]:
        if self.lists == 1:
            assert soon(lambda: self.cache is not None)
            raise refused("Expired", 410)
        assert self.lists == 2
        while self.lists == 2:
            yield Event("BOOKMARK", {"metadata": {"resourceVersion": version}})
            soon(lambda: self.lists > 2, 0.05)


def test_what_was_written_while_a_list_was_made_stays_and_what_is_gone_goes() -> None:
    cluster, told = Forgets(), list[str]()
    gone = cluster.by_hand(config("gone", a="1"))
    cache = opened(cluster, told)
    dropped: list[str] = []
    cache.on_change(lambda key: dropped.append(key.name) if cache.get(key) is None else None)
    try:
        del cluster.objects[gone.key]
        cluster.version += 1
        cluster.cache = cache
        assert soon(lambda: cluster.lists == 2)
        assert soon(lambda: cache.get(gone.key) is None)
        assert cache.get(config("fresh").key) is not None
        assert dropped == ["gone"]
    finally:
        cluster.lists += 1
        cache.stop()
