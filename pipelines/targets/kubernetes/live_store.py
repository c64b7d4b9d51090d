"""Live objects of one cluster in little memory: compact JSON by key, unpacked when somebody asks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipelines.engine.sync.tracking import owner
from pipelines.model.resource import Manifest, Resource, ResourceKey
from pipelines.targets.kubernetes.packed import PackedResource, Unpacked

MOST_GONE = 1_000
"""Deleted objects whose version is remembered, for answers that come later than the watch."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`application` is whose tracking id the object carries about itself; else empty."""

    version: str
    packed: bytes
    application: str


class LiveStore:
    """Written by the watching threads, read by everybody. `turn` grows with every change."""

    def __init__(self) -> None:
        self._entries: dict[ResourceKey, Entry] = {}
        self._unpacked = Unpacked()
        self._gone: dict[ResourceKey, str] = {}
        self._changed = threading.Condition()
        self._listeners: list[Callable[[ResourceKey], None]] = []
        self.turn = 0

    def __len__(self) -> int:
        return len(self._entries)

    def on_change(self, act: Callable[[ResourceKey], None]) -> None:
        self._listeners.append(act)

    def forget(self, act: Callable[[ResourceKey], None]) -> None:
        """The opposite of `on_change`."""
        self._listeners = [known for known in self._listeners if known != act]

    def put(self, manifest: Manifest) -> ResourceKey:
        """From a watch, or what the API server answered to a write. An older version than the one
        that is known, or than the one that was deleted, changes nothing."""
        resource = Resource(manifest)
        key, version = resource.key, str(resource.metadata.get("resourceVersion") or "")
        known = self._entries.get(key)
        if known is None or known.version != version:
            packed = json.dumps(manifest, separators=(",", ":")).encode()
            self._write(key, Entry(version, packed, owner(resource)), version)
        return key

    def drop(self, key: ResourceKey, version: str) -> None:
        """`version` is the deletion's, or that of a list which does not have it: an object that is
        newer was written after it, and stays."""
        if key in self._entries:
            self._write(key, None, version)

    def keys(self, group: str, kind: str, namespace: str) -> list[ResourceKey]:
        """Of one watch's scope; an empty namespace is all of them."""
        with self._changed:
            return [
                key
                for key in self._entries
                if key.group == group and key.kind == kind and namespace in ("", key.namespace)
            ]

    def entry(self, key: ResourceKey) -> Entry | None:
        return self._entries.get(key)

    def get(self, key: ResourceKey) -> Resource | None:
        entry = self._entries.get(key)
        return None if entry is None else PackedResource(key, entry.packed, self._unpacked)

    def of(self, application: str) -> list[ResourceKey]:
        with self._changed:
            return [key for key, entry in self._entries.items() if entry.application == application]

    def applications(self) -> set[str]:
        """Whose tracking ids there are."""
        with self._changed:
            return {entry.application for entry in self._entries.values()} - {""}

    def wait(self, turn: int, seconds: float) -> int:
        """Until something changed after `turn`, or `seconds` passed; the turn it is now."""
        with self._changed:
            self._changed.wait_for(lambda: self.turn != turn, seconds)
            return self.turn

    def wake(self) -> None:
        """Ends all waits, as a change would."""
        with self._changed:
            self.turn += 1
            self._changed.notify_all()

    def _write(self, key: ResourceKey, entry: Entry | None, version: str) -> None:
        with self._changed:
            known = self._entries.get(key)
            last = known.version if known else self._gone.get(key, "")
            if _older(version, last):
                return
            if entry is None:
                self._entries.pop(key, None)
                self._gone[key] = version
            else:
                self._entries[key] = entry
                self._gone.pop(key, None)
            while len(self._gone) > MOST_GONE:
                del self._gone[next(iter(self._gone))]
            self.turn += 1
            self._changed.notify_all()
        for act in self._listeners:
            act(key)


def _older(version: str, last: str) -> bool:
    """Versions of one kind are numbers that grow (promised since Kubernetes 1.35, true before)."""
    return version.isdigit() and last.isdigit() and int(version) < int(last)


class LiveView(Mapping[ResourceKey, Resource]):
    """Live objects as a mapping: any by its key, those of `keys` when it is gone through."""

    def __init__(self, store: LiveStore, keys: Callable[[], Iterable[ResourceKey]]) -> None:
        self._store, self._keys = store, keys

    def __getitem__(self, key: ResourceKey) -> Resource:
        found = self._store.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[ResourceKey]:
        return (key for key in self._keys() if self._store.entry(key) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)
