"""What a watch of live objects makes of what nobody expects, and of a list that comes late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from pipelines.targets.kubernetes.cluster import Event
from pipelines.targets.kubernetes.live_cache import WatchedCache
from tests.unit.kubernetes.memory import NAMESPACE, MemoryCluster, config, soon

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
