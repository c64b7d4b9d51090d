"""One watch: list, follow, and list again when the API server has forgotten where we were."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.model.errors import SlipwayError, Unavailable
from pipelines.model.resource import Resource
from pipelines.targets.kubernetes.cluster import ApiRefused, Cluster, Event
from pipelines.targets.kubernetes.live_store import LiveStore

WATCH_SECONDS = 290.0
LONGEST_PAUSE_SECONDS = 5.0
NOT_SERVED_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Scope:
    """An empty namespace is all of them."""

    group: str
    kind: str
    namespace: str

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return f"{kind} in {self.namespace}" if self.namespace else kind


class LiveWatch:
    """A thread of its own. `listed` is set after the first list, whatever came of it; `failed`
    says why it gave nothing. Later failures are tried again for ever: live state that is old is
    still what was last seen. `tell` hears of defects, which would stay unseen otherwise."""

    def __init__(
        self, cluster: Cluster, store: LiveStore, scope: Scope, tell: Callable[[str], None]
    ) -> None:
        self.scope = scope
        self.listed = threading.Event()
        self.failed: SlipwayError | None = None
        self._cluster, self._store, self._tell = cluster, store, tell
        self._defect = ""
        self._stopped = False
        self._poked = threading.Event()
        self._version = ""
        self._events: Iterator[Event] | None = None
        self._thread = threading.Thread(target=self._run, name=f"watch {scope}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped = True
        self._poked.set()
        self._close()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def poke(self) -> None:
        self._poked.set()

    def _close(self) -> None:
        close: Any = getattr(self._events, "close", None)
        if close is not None:
            with contextlib.suppress(ValueError):  # a generator that is running in its thread
                close()

    def _run(self) -> None:
        failures = 0
        while not self._stopped:
            try:
                if not self._version:
                    self._list()
                self._follow()
                failures = 0
            except SlipwayError as error:
                failures += 1
                if not self._stopped:
                    self._pause(error, failures)
            except Exception as error:
                # A watch that ends here would let everybody work with what was live then.
                failures += 1
                if not self._stopped:
                    self._pause(self._unexpected(error), failures)

    def _unexpected(self, error: Exception) -> Unavailable:
        """Everything is listed anew: nobody knows what was taken of the change that it befell."""
        self._version = ""
        words = f"the watch of {self.scope} has a defect: {type(error).__name__}: {error}"
        if words != self._defect:
            self._defect = words
            with contextlib.suppress(Exception):  # the watch is worth more than its words
                self._tell(f"{words}; listing everything anew, again and again")
        return Unavailable(words)

    def _list(self) -> None:
        scope, seen = self.scope, set()
        pages = self._cluster.pages(scope.group, scope.kind, namespace=scope.namespace)
        version = ""
        for page, page_version in pages:
            version = page_version
            for resource in page:
                seen.add(self._store.put(resource.manifest))
        for key in self._store.keys(scope.group, scope.kind, scope.namespace):
            if key not in seen:  # what was written since the list began is newer, and stays
                self._store.drop(key, version)
        self._version = version
        self.failed = None
        self.listed.set()

    def _follow(self) -> None:
        scope = self.scope
        self._events = self._cluster.watch(
            scope.group,
            scope.kind,
            namespace=scope.namespace,
            version=self._version,
            seconds=WATCH_SECONDS,
        )
        if self._stopped:  # while the watch was opened
            self._close()
        for event in self._events:
            if self._stopped:
                return
            self._take(event)

    def _take(self, event: Event) -> None:
        version = str(event.manifest["metadata"]["resourceVersion"])
        if event.type == "DELETED":
            self._store.drop(Resource(event.manifest).key, version)
        elif event.type != "BOOKMARK":
            self._store.put(event.manifest)
        self._version = version

    def _pause(self, error: SlipwayError, failures: int) -> None:
        seconds = min(LONGEST_PAUSE_SECONDS, 0.1 * 2.0 ** min(failures, 8))
        if isinstance(error, ApiRefused):
            if error.reason == "Expired":
                self._version = ""
                return
            if error.reason in ("NoKind", "NotFound"):
                self._version = ""
                self.listed.set()
                seconds = NOT_SERVED_SECONDS
            elif not self.listed.is_set():
                self.failed = error
                self.listed.set()
        elif isinstance(error, Unavailable) and not self.listed.is_set() and failures > 3:
            self.failed = error
            self.listed.set()
        self._poked.wait(seconds)
        self._poked.clear()
