"""An API server in memory: keeps objects, counts versions, tells watches of changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pipelines.model.resource import Manifest, Resource, ResourceKey
from pipelines.targets.kubernetes.cluster import ApiRefused, Event, Kind

VERBS = frozenset({"list", "watch", "delete"})
KINDS = {
    (group, kind): Kind(group, "v1", kind, f"{kind.lower()}s", True, VERBS)
    for group, kind in (("", "ConfigMap"), ("", "Service"), ("batch", "Job"))
}
NAMESPACE = "shop"


def refused(reason: str, status: int = 403) -> ApiRefused:
    return ApiRefused(f"no: {reason}", reason=reason, status=status)


def config(name: str, **data: str) -> Resource:
    metadata = {"name": name, "namespace": NAMESPACE}
    return Resource({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def soon(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()


class MemoryCluster:
    """As much of `Cluster` as a syncer asks for.

    `before` is called with verb and key ahead of each write and dry run, and may raise.
    `unlisted`: kind → why it is not listed. `changes` is what a mutating webhook makes of an object
    that is written."""

    def __init__(self) -> None:
        self.objects: dict[ResourceKey, Resource] = {}
        self.log: list[str] = []
        self.before: Callable[[str, ResourceKey], None] = lambda verb, key: None
        self.changes: Callable[[dict[str, Any]], dict[str, Any]] = lambda manifest: manifest
        self.unlisted: dict[str, str] = {}
        self.version = 100
        self._told: list[Event] = []
        self._changed = threading.Condition()

    def kinds(self, *, refresh: bool = False) -> Mapping[tuple[str, str], Kind]:
        return KINDS

    def get(self, key: ResourceKey) -> Resource | None:
        return self.objects.get(key)

    def list(
        self, group: str, kind: str, *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> tuple[Sequence[Resource], str]:
        if kind in self.unlisted:
            raise refused(self.unlisted[kind])
        with self._changed:
            found = [o for k, o in self.objects.items() if (k.group, k.kind) == (group, kind)]
            return found, str(self.version)

    def pages(
        self, group: str, kind: str, *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> Iterator[tuple[Sequence[Resource], str]]:
        yield self.list(group, kind, namespace=namespace)

    def tracked(self, group: str, kind: str, *, namespace: str = "") -> Sequence[str]:
        found, _ = self.list(group, kind, namespace=namespace)
        return [one.annotations.get("argocd.argoproj.io/tracking-id", "") for one in found]

    def watch(
        self, group: str, kind: str, *, namespace: str, version: str, seconds: float
    ) -> Iterator[Event]:
        seen, until = 0, time.monotonic() + min(seconds, 0.5)
        while time.monotonic() < until:
            with self._changed:
                if len(self._told) == seen:
                    self._changed.wait(0.1)
                fresh, seen = self._told[seen:], len(self._told)
            for event in fresh:
                one = Resource(event.manifest)
                newer = int(one.metadata["resourceVersion"]) > int(version)
                if (one.group, one.kind) == (group, kind) and newer:
                    yield event

    # --- writing -----------------------------------------------------------------------------
    def apply(
        self, manifest: Manifest, *, dry_run: bool = False, force: bool = True, manager: str = ""
    ) -> Resource:
        return self._write("apply", manifest, dry_run)

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Resource:
        return self._write("create", manifest, dry_run)

    def replace(self, manifest: Manifest, *, dry_run: bool = False) -> Resource:
        return self._write("replace", manifest, dry_run)

    def patch(
        self, key: ResourceKey, patch: Any, *, kind: str, subresource: str = "", manager: str = ""
    ) -> Resource:
        live = self.objects.get(key)
        if live is None:
            raise refused("NotFound", 404)
        data = {**(live.manifest.get("data") or {}), **patch.get("data", {})}
        return self._write("patch", {**live.manifest, "data": data}, dry_run=False)

    def delete(
        self, key: ResourceKey, *, propagation: str = "Background", grace_seconds: int | None = None
    ) -> bool:
        self._say("delete", key, dry_run=False)
        with self._changed:
            live = self.objects.pop(key, None)
            if live is not None:
                self.version += 1
                self._tell("DELETED", live)
        return live is not None

    def by_hand(self, resource: Resource, **metadata: Any) -> Resource:
        """Somebody else writes it; nothing is logged."""
        changed = {**resource.manifest, "metadata": {**resource.metadata, **metadata}}
        return self._keep(Resource(changed))

    def _write(self, verb: str, manifest: Manifest, dry_run: bool) -> Resource:
        key = Resource(manifest).key
        self._say(verb, key, dry_run=dry_run)
        made = Resource(self.changes(dict(manifest)))
        live = self.objects.get(key)
        kept = live.metadata if live else {}
        merged = Resource({**made.manifest, "metadata": {**kept, **made.metadata}})
        if live is not None and merged.manifest == live.manifest:
            return live
        return merged if dry_run else self._keep(merged)

    def _keep(self, resource: Resource) -> Resource:
        with self._changed:
            self.version += 1
            live = {"uid": f"u-{resource.name}", **resource.metadata}
            live["resourceVersion"] = str(self.version)
            found = Resource({**resource.manifest, "metadata": live})
            self._tell("MODIFIED" if found.key in self.objects else "ADDED", found)
            self.objects[found.key] = found
        return found

    def _tell(self, verb: str, resource: Resource) -> None:
        metadata = {**resource.metadata, "resourceVersion": str(self.version)}
        self._told.append(Event(verb, {**resource.manifest, "metadata": metadata}))
        self._changed.notify_all()

    def _say(self, verb: str, key: ResourceKey, *, dry_run: bool) -> None:
        verb = f"dry {verb}" if dry_run else verb
        self.before(verb, key)
        self.log.append(f"{verb} {key.kind}/{key.name}")
