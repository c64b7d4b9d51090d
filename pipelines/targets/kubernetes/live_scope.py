"""Which kinds and namespaces an application's live objects are looked for in."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pipelines.model.resource import Resource
from pipelines.model.sync import SyncSettings
from pipelines.targets.kubernetes.cluster import ApiRefused, Cluster
from pipelines.targets.kubernetes.live_cache import WatchedCache

NEEDED = frozenset({"list", "watch", "delete"})
NEVER_OURS = frozenset({"Event", "Lease", "Endpoints", "EndpointSlice", "ControllerRevision"})
"""Made by the cluster in great numbers, and no manifest of an application."""
NO_SUCH = ("MethodNotAllowed", "NoKind", "NotFound")
"""Reasons that say there is nothing to be found."""
AT_ONCE = 8
UNSEEN = "not searched for objects that the manifests have no more, since they may not be listed"
UNSEEN_HINT = (
    "one of such a kind stays until somebody deletes it: take a kind's rights away only after the sync"
    " that prunes the last of its objects"
)


class LiveScope:
    """What is desired is watched. Once, every other kind is asked for tracking ids of the
    application: something that was desired before must be found to be pruned. Kinds that may not
    be listed are passed over, since who may not see may not delete, and told by `warnings`."""

    def __init__(self, cluster: Cluster, cache: WatchedCache, settings: SyncSettings) -> None:
        self._cluster, self.cache, self._settings = cluster, cache, settings
        self._searched: set[str] = set()
        self._unseen: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def cover(self, desired: Sequence[Resource]) -> None:
        """Raises what the API server refuses of the desired kinds. Who comes second from another
        thread waits until what the first asked for was listed."""
        with self._lock:
            self._cover(desired)

    def warnings(self) -> tuple[str, ...]:
        """What may have been left behind and nobody would notice."""
        unseen = sorted(f"{kind}.{group}" if group else kind for group, kind in self._unseen)
        return (f"{UNSEEN}: {', '.join(unseen)}; {UNSEEN_HINT}",) if unseen else ()

    def _cover(self, desired: Sequence[Resource]) -> None:
        namespaces = [self._settings.namespace]
        namespaces += [resource.namespace for resource in desired if resource.namespace]
        places = [place for place in dict.fromkeys(namespaces) if place]
        wanted = {(resource.group, resource.kind) for resource in desired}
        if "CreateNamespace" in self._settings.options:
            wanted.add(("", "Namespace"))
        fresh = [place for place in places if place not in self._searched]
        if fresh:
            wanted |= self._search(wanted, fresh)
            self._searched.update(fresh)
        self.cache.start(sorted(wanted), places)

    def _search(self, known: set[tuple[str, str]], namespaces: list[str]) -> set[tuple[str, str]]:
        places = [
            (group, name, place)
            for (group, name), kind in self._cluster.kinds().items()
            if (group, name) not in known and name not in NEVER_OURS and kind.verbs >= NEEDED
            for place in (namespaces if kind.namespaced else [""])
        ]
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="search") as pool:
            found = list(pool.map(lambda place: self._has_ours(*place), places))
        return {(group, name) for (group, name, _), ours in zip(places, found, strict=True) if ours}

    def _has_ours(self, group: str, kind: str, namespace: str) -> bool:
        names = (self._settings.application, *self._settings.earlier)
        starts = tuple(f"{name}:{group}/{kind}:" for name in names)
        try:
            tracked = self._cluster.tracked(group, kind, namespace=namespace)
        except ApiRefused as refused:
            if refused.reason not in NO_SUCH:
                self._unseen.add((group, kind))
            return False
        return any(value.startswith(starts) for value in tracked)
