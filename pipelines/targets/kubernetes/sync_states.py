"""The config map in which a controller in a cluster writes what it does: one key an Application.

The release host reads it where it would otherwise ask Argo CD, and a person asks for a sync by an
annotation of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from pipelines.model import sync_state
from pipelines.model.errors import BadInput, SlipwayError
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync_state import SyncState
from pipelines.targets.kubernetes.cluster import ApiRefused, Cluster
from pipelines.targets.kubernetes.layout import ENVIRONMENT_LABEL, Place

NAME = "slipway-sync"
ASKED = "slipway.dev/sync-asked"
"""Annotation: who wants a sync now, and when. Every new value is one request."""
CONFIRMED = "slipway.dev/prune-confirmed"
"""Annotation: the commit for which somebody agreed to what `Prune=confirm` holds back."""
SHORTEST = 12
"""Of a commit, as the controller's log shows it."""
SLOTS = "slots"
MANAGER = "slipway-controller"
MANAGED = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/managed-by": MANAGER}


def key_in(namespace: str) -> ResourceKey:
    return ResourceKey("", "ConfigMap", namespace, NAME)


def confirmed(live: Resource | None, commit: str) -> bool:
    """Did somebody agree to the prunes of this commit? `live`: the config map."""
    said = live.annotations.get(CONFIRMED, "") if live else ""
    return len(said) >= SHORTEST and commit.startswith(said)


def how_to_confirm(namespace: str, commit: str) -> str:
    return (
        f"kubectl --namespace {namespace} annotate --overwrite configmap {NAME}"
        f" {CONFIRMED}={commit[:SHORTEST]}"
    )


class SyncStates:
    """Written by the threads of one controller. What cannot be written now is kept, and written by
    the next `flush`."""

    def __init__(
        self, cluster: Cluster, namespace: str, environment: str, log: Callable[[str], None]
    ) -> None:
        self._cluster, self._key, self._log = cluster, key_in(namespace), log
        self._labels = {**MANAGED, ENVIRONMENT_LABEL: environment}
        self._unwritten: dict[str, str] = {}
        self._lock = threading.Lock()
        self._trouble = ""

    def read(self, application: str, path: str) -> SyncState:
        """What was written of it last. Raises Unavailable, ApiRefused."""
        live = self._cluster.get(self._key)
        text = (live.manifest.get("data") or {}).get(_file(application)) if live else None
        if text is None:
            return SyncState(application, path)
        try:
            return sync_state.parse(text, f"{self._key} {_file(application)}")
        except BadInput as error:
            self._log(f"{application}: {error.message}; beginning anew")
            return SyncState(application, path)

    def write(self, state: SyncState) -> None:
        with self._lock:
            self._unwritten[_file(state.application)] = sync_state.render(state)
        self.flush()

    def flush(self) -> None:
        with self._lock:
            if not self._unwritten:
                return
            try:
                self._send(dict(self._unwritten))
            except SlipwayError as error:
                if self._trouble != error.message:
                    self._log(f"{NAME} cannot be written: {error.message}")
                self._trouble = error.message
                return
            self._unwritten.clear()
            self._trouble = ""

    def _send(self, data: Mapping[str, str]) -> None:
        try:
            self._cluster.patch(self._key, {"data": data}, kind="merge", manager=MANAGER)
        except ApiRefused as refused:
            if refused.reason != "NotFound":
                raise
            self._cluster.create(self._manifest(data))

    def _manifest(self, data: Mapping[str, str]) -> dict[str, Any]:
        metadata = {"name": NAME, "namespace": self._key.namespace, "labels": self._labels}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)}


def _file(application: str) -> str:
    return f"{application}.json"


def read_all(cluster: Cluster, namespace: str) -> list[SyncState]:
    """Of every Application; what cannot be read is left out. Raises Unavailable, ApiRefused."""
    live = cluster.get(key_in(namespace))
    found = []
    for name, text in sorted(((live.manifest.get("data") or {}) if live else {}).items()):
        try:
            found.append(sync_state.parse(text, name))
        except BadInput:
            continue
    return found


def failed_sync(cluster: Cluster, place: Place, commit: str) -> str:
    """Why the controller in the cluster gave up on this commit's slots; empty when it did not, or
    cannot be asked. Its own retries are over then."""
    try:
        states = read_all(cluster, place.namespace)
    except SlipwayError:
        return ""
    for state in states:
        if state.path == SLOTS and state.revision == commit and state.ended_badly:
            return f"controller in the cluster: {state.application}: {state.message or state.phase}"
    return ""
