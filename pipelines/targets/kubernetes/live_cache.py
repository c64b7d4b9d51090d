"""Live objects kept by one watch a kind and namespace."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from pipelines.model.errors import SlipwayError, Unavailable
from pipelines.model.resource import Resource, ResourceKey
from pipelines.targets.kubernetes.cluster import Cluster
from pipelines.targets.kubernetes.live_store import LiveStore
from pipelines.targets.kubernetes.live_watch import LiveWatch, Scope

FIRST_LIST_SECONDS = 60.0
CATCHING_UP = 4


def to_stderr(words: str) -> None:
    """Where nobody else listens."""
    sys.stderr.write(f"{words}\n")


class WatchedCache:
    """Kinds the API server does not serve (their definition may come later) count as empty. `tell`
    hears of defects of a watch."""

    def __init__(self, cluster: Cluster, tell: Callable[[str], None] = to_stderr) -> None:
        self.store = LiveStore()
        self._cluster, self._tell = cluster, tell
        self._watches: dict[Scope, LiveWatch] = {}
        self._lock = threading.Lock()

    def start(self, wanted: Sequence[tuple[str, str]], namespaces: Sequence[str]) -> None:
        """Returns when everything was listed once; may be called again with more. Raises what the
        API server refused (a kind that may not be listed), Unavailable after 60 seconds."""
        served = self._cluster.kinds()
        fresh: list[LiveWatch] = []
        with self._lock:
            for group, kind in dict.fromkeys(wanted):
                known = served.get((group, kind))
                places = namespaces if known is None or known.namespaced else ("",)
                for namespace in dict.fromkeys(places):
                    scope = Scope(group, kind, namespace)
                    if scope not in self._watches:
                        fresh.append(LiveWatch(self._cluster, self.store, scope, self._tell))
                        self._watches[scope] = fresh[-1]
        for watch in fresh:
            watch.start()
        self._first_lists(fresh)

    def look_again(self) -> None:
        """Watches of kinds that were not served try at once (a definition was installed)."""
        for watch in list(self._watches.values()):
            watch.poke()

    def catch_up(self) -> None:
        """Reads all that is watched once more: a watch may be late, and who was told of a change
        must see it. Raises Unavailable, ApiRefused."""
        scopes = list(self._watches)
        with ThreadPoolExecutor(CATCHING_UP, thread_name_prefix="catch-up") as pool:
            list(pool.map(self._read_again, scopes))

    def _read_again(self, scope: Scope) -> None:
        if (scope.group, scope.kind) not in self._cluster.kinds():
            return
        known = self.store.keys(scope.group, scope.kind, scope.namespace)
        found, version = self._cluster.list(scope.group, scope.kind, namespace=scope.namespace)
        there = {self.store.put(one.manifest) for one in found}
        for key in known:
            if key not in there:
                self.store.drop(key, version)

    def covers(self, group: str, kind: str) -> bool:
        return any(scope.group == group and scope.kind == kind for scope in self._watches)

    def get(self, key: ResourceKey) -> Resource | None:
        return self.store.get(key)

    def of(self, application: str) -> Mapping[ResourceKey, Resource]:
        found = {}
        for key in self.store.of(application):
            live = self.store.get(key)
            if live is not None:
                found[key] = live
        return found

    def on_change(self, act: Callable[[ResourceKey], None]) -> None:
        self.store.on_change(act)

    def stop(self) -> None:
        with self._lock:
            watches, self._watches = list(self._watches.values()), {}
        for watch in watches:
            watch.stop()
        for watch in watches:
            watch.join(2.0)
        self.store.wake()

    def _first_lists(self, watches: Sequence[LiveWatch]) -> None:
        until = time.monotonic() + FIRST_LIST_SECONDS
        try:
            for watch in watches:
                if not watch.listed.wait(max(0.0, until - time.monotonic())):
                    raise Unavailable(f"listing {watch.scope} took over {FIRST_LIST_SECONDS:.0f} s")
                if watch.failed is not None:
                    raise watch.failed
        except SlipwayError:
            self._give_up(watches)
            raise

    def _give_up(self, watches: Sequence[LiveWatch]) -> None:
        for watch in watches:
            watch.stop()
            with self._lock, contextlib.suppress(KeyError):
                del self._watches[watch.scope]
