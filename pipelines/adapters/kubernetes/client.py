"""The API server as the syncer sees it: implements `targets.kubernetes.cluster.Cluster`."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipelines.adapters.kubernetes.connection import Connection, connect
from pipelines.adapters.kubernetes.discovery import discover
from pipelines.adapters.kubernetes.transport import Transport
from pipelines.adapters.kubernetes.watching import Watch
from pipelines.model.errors import BadInput
from pipelines.model.resource import Manifest, Resource, ResourceKey
from pipelines.targets.kubernetes.cluster import (
    MANAGER,
    TRACKING,
    ApiRefused,
    ExecResult,
    Kind,
)

PAGE = 500
LOOK_AGAIN_SECONDS = 2.0
"""An unknown kind makes the client ask for the served kinds again, but not more often than this."""

METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
FROM_CACHE = {"resourceVersion": "0"}
"""As the API server remembers it. Anything newer makes it ask etcd first, which takes a tenth of a
second for each kind where nothing happens."""
APPLY = "application/apply-patch+yaml"
PATCHES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}


class ApiServer:
    """One API server, as one identity. Safe to use from several threads."""

    def __init__(self, connection: Connection, *, seconds: float = 30.0) -> None:
        self.transport = Transport(connection, seconds=seconds)
        self._kinds: Mapping[tuple[str, str], Kind] | None = None
        self._asked_at = 0.0
        self._lock = threading.Lock()

    @property
    def namespace(self) -> str:
        """Of the context or the pod; empty when neither names one."""
        return self.transport.connection.namespace

    def close(self) -> None:
        self.transport.close()

    # --- kinds -----------------------------------------------------------------------------
    def kinds(self, *, refresh: bool = False) -> Mapping[tuple[str, str], Kind]:
        with self._lock:
            if self._kinds is None or refresh:
                self._kinds = discover(self.transport)
                self._asked_at = time.monotonic()
            return self._kinds

    def kind_of(self, group: str, kind: str) -> Kind:
        """Raises ApiRefused with reason `NoKind` for what is not served."""
        found = self.kinds().get((group, kind))
        if found is None and time.monotonic() - self._asked_at > LOOK_AGAIN_SECONDS:
            found = self.kinds(refresh=True).get((group, kind))
        if found is None:
            raise ApiRefused(
                f"the API server serves no kind {kind} of group {group or 'core'}",
                reason="NoKind",
                status=404,
                hint="install its CustomResourceDefinition first, or correct apiVersion and kind",
            )
        return found

    # --- read ------------------------------------------------------------------------------
    def get(self, key: ResourceKey) -> Resource | None:
        try:
            document = self.transport.json("GET", self._path(key), doing=f"get {key}")
        except ApiRefused as refused:
            if refused.reason == "NotFound":
                return None
            raise
        return Resource(document)

    def list(
        self, group: str, kind: str, *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> tuple[Sequence[Resource], str]:
        found: list[Resource] = []
        version = ""
        for page, version in self.pages(group, kind, namespace=namespace, labels=labels):  # noqa: B007
            found += page
        return found, version

    def pages(
        self, group: str, kind: str, *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> Iterator[tuple[Sequence[Resource], str]]:
        query = {"limit": str(PAGE)}
        if labels:
            query["labelSelector"] = ",".join(f"{name}={value}" for name, value in labels.items())
        served = self.kind_of(group, kind)
        path = collection(served, served.version, namespace)
        doing = f"list {kind}" + (f" in {namespace}" if namespace else "")
        head = {"apiVersion": api_version(served.group, served.version), "kind": kind}
        more = True
        while more:
            page = self.transport.json("GET", path, doing=doing, query=query)
            metadata = page.get("metadata") or {}
            items = [Resource({**head, **item}) for item in page.get("items") or ()]
            yield items, str(metadata.get("resourceVersion") or "")
            query["continue"] = metadata.get("continue") or ""
            more = bool(query["continue"])

    def tracked(self, group: str, kind: str, *, namespace: str = "") -> Sequence[str]:
        served = self.kind_of(group, kind)
        query = {"limit": str(PAGE), **FROM_CACHE}
        found: list[str] = []
        more = True
        while more:
            page = self.transport.json(
                "GET",
                collection(served, served.version, namespace),
                doing=f"list {kind}",
                query=query,
                accept=METADATA_ONLY,
            )
            for item in page.get("items") or ():
                tracking = (item["metadata"].get("annotations") or {}).get(TRACKING)
                if tracking:
                    found.append(tracking)
            query = {"limit": str(PAGE), "continue": page["metadata"].get("continue") or ""}
            more = bool(query["continue"])
        return found

    def watch(
        self, group: str, kind: str, *, namespace: str, version: str, seconds: float
    ) -> Watch:
        served = self.kind_of(group, kind)
        path = collection(served, served.version, namespace)
        return Watch(self.transport, path, kind=kind, version=version, seconds=seconds)

    # --- write -----------------------------------------------------------------------------
    def apply(
        self,
        manifest: Manifest,
        *,
        dry_run: bool = False,
        force: bool = True,
        manager: str = MANAGER,
    ) -> Resource:
        query = {"fieldManager": manager, "fieldValidation": "Strict"}
        if force:
            query["force"] = "true"
        return self._write("PATCH", "apply", manifest, query, dry_run, APPLY)

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Resource:
        return self._write("POST", "create", manifest, {"fieldManager": MANAGER}, dry_run)

    def replace(self, manifest: Manifest, *, dry_run: bool = False) -> Resource:
        return self._write("PUT", "replace", manifest, {"fieldManager": MANAGER}, dry_run)

    def patch(
        self,
        key: ResourceKey,
        patch: Any,
        *,
        kind: str,
        subresource: str = "",
        manager: str = MANAGER,
    ) -> Resource:
        if kind not in PATCHES:
            raise BadInput(f"no such kind of patch: {kind}; one of {', '.join(PATCHES)}")
        path = self._path(key) + (f"/{subresource}" if subresource else "")
        document = self.transport.json(
            "PATCH",
            path,
            doing=f"patch {key}",
            query={"fieldManager": manager},
            body=json.dumps(patch).encode(),
            content_type=PATCHES[kind],
        )
        return Resource(document)

    def delete(
        self, key: ResourceKey, *, propagation: str = "Background", grace_seconds: int | None = None
    ) -> bool:
        options: dict[str, Any] = {"propagationPolicy": propagation}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        try:
            self.transport.request(
                "DELETE", self._path(key), doing=f"delete {key}", body=json.dumps(options).encode()
            )
        except ApiRefused as refused:
            if refused.reason == "NotFound":
                return False
            raise
        return True

    # --- pods ------------------------------------------------------------------------------
    def exec(
        self, namespace: str, pod: str, container: str, argv: Sequence[str], timeout_seconds: float
    ) -> ExecResult:
        from pipelines.adapters.kubernetes.exec_channel import run_in_pod

        return run_in_pod(
            self.transport.connection, namespace, pod, container, argv, timeout_seconds
        )

    def logs(self, namespace: str, pod: str, container: str, *, lines: int = 100) -> str:
        path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/log"
        answer = self.transport.request(
            "GET",
            path,
            doing=f"read the log of Pod {namespace}/{pod}",
            query={"container": container, "tailLines": str(lines)},
            accept="*/*",
        )
        return answer.decode(errors="replace")

    def pod_request(
        self, namespace: str, pod: str, port: int, path: str, timeout_seconds: float
    ) -> tuple[int, bytes]:
        place = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}:{port}/proxy{path}"
        return self.transport.answer("GET", place, seconds=timeout_seconds)

    # --- paths -----------------------------------------------------------------------------
    def _path(self, key: ResourceKey) -> str:
        kind = self.kind_of(key.group, key.kind)
        return f"{collection(kind, kind.version, key.namespace)}/{quote(key.name)}"

    def _write(
        self,
        method: str,
        verb: str,
        manifest: Manifest,
        query: dict[str, str],
        dry_run: bool,
        content_type: str = "application/json",
    ) -> Resource:
        resource = Resource(manifest)
        kind = self.kind_of(resource.group, resource.kind)
        version = resource.api_version.rpartition("/")[2]
        path = collection(kind, version, resource.namespace)
        if method != "POST":
            path += f"/{quote(resource.name)}"
        if dry_run:
            query["dryRun"] = "All"
            verb = f"{verb} (dry run)"
        document = self.transport.json(
            method,
            path,
            doing=f"{verb} {resource.key}",
            query=query,
            body=json.dumps(manifest).encode(),
            content_type=content_type,
        )
        return Resource(document)


def open_cluster(context: str = "", kubeconfig: Path | None = None) -> ApiServer:
    """A client of the context; of the current one, or of the pod's own account, without a name."""
    return ApiServer(connect(context, kubeconfig))


def api_version(group: str, version: str) -> str:
    return f"{group}/{version}" if group else version


def collection(kind: Kind, version: str, namespace: str) -> str:
    """The path of all objects of a kind: in one namespace, or everywhere when it is empty."""
    start = f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"
    middle = f"/namespaces/{quote(namespace)}" if namespace and kind.namespaced else ""
    return f"{start}{middle}/{kind.plural}"
