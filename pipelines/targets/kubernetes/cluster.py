"""What the syncer and the Kubernetes target need from an API server; an adapter implements it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipelines.model.errors import SlipwayError
from pipelines.model.resource import Manifest, Resource, ResourceKey

MANAGER = "slipway"
"""The field manager of everything Slipway writes."""

TRACKING = "argocd.argoproj.io/tracking-id"
"""`<application>:<group>/<kind>:<namespace>/<name>`, as Argo CD writes it."""


class ApiRefused(SlipwayError):
    """The API server said no. `reason` is its machine word: NotFound, Conflict, Invalid, Forbidden,
    AlreadyExists, TooManyRequests…; `status` the HTTP status."""

    exit_code = 1

    def __init__(self, message: str, *, reason: str, status: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason, self.status = reason, status


@dataclass(frozen=True, slots=True)
class Kind:
    """One served kind, as discovery names it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a watch: ADDED, MODIFIED, DELETED, BOOKMARK."""

    type: str
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command in a pod ended with; `code` None when it took too long."""

    code: int | None
    stdout: str
    stderr: str


class Cluster(Protocol):
    """One API server, as one identity. Every call is bounded in time; what does not answer raises
    `Unavailable`, what says no raises `ApiRefused`. Throttling (429, 503 with Retry-After) is waited
    for inside. Safe to use from several threads."""

    def kinds(self, *, refresh: bool = False) -> Mapping[tuple[str, str], Kind]:
        """(group, kind) → preferred served version, from discovery."""

    def get(self, key: ResourceKey) -> Resource | None: ...

    def list(
        self, group: str, kind: str, *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> tuple[Sequence[Resource], str]:
        """Objects and the resource version to watch from."""

    def pages(
        self, group: str, kind: str, *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> Iterator[tuple[Sequence[Resource], str]]:
        """`list` page by page, for who must not hold everything at once. Each page names the
        version to watch from; ApiRefused with reason `Expired` when reading took too long."""

    def tracked(self, group: str, kind: str, *, namespace: str = "") -> Sequence[str]:
        """The tracking ids of all objects of a kind; cheaper than reading them, and from the API
        server's memory: what was written a moment ago may be missing."""

    def watch(
        self, group: str, kind: str, *, namespace: str, version: str, seconds: float
    ) -> Iterator[Event]:
        """Ends after `seconds`. Raises ApiRefused with reason `Expired` when the version is too old:
        list again. Another thread may end it earlier by its method `close`, where it has one."""

    def apply(
        self,
        manifest: Manifest,
        *,
        dry_run: bool = False,
        force: bool = True,
        manager: str = MANAGER,
    ) -> Resource:
        """Server-side apply as `manager`; the object as the server has it afterwards."""

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Resource: ...

    def replace(self, manifest: Manifest, *, dry_run: bool = False) -> Resource: ...

    def patch(
        self,
        key: ResourceKey,
        patch: Any,
        *,
        kind: str,
        subresource: str = "",
        manager: str = MANAGER,
    ) -> Resource:
        """`kind`: `merge`, `json` or `strategic`. `manager`: who owns the changed fields then."""

    def delete(
        self, key: ResourceKey, *, propagation: str = "Background", grace_seconds: int | None = None
    ) -> bool:
        """False when it was not there."""

    def exec(
        self, namespace: str, pod: str, container: str, argv: Sequence[str], timeout_seconds: float
    ) -> ExecResult: ...

    def logs(self, namespace: str, pod: str, container: str, *, lines: int = 100) -> str: ...

    def pod_request(
        self, namespace: str, pod: str, port: int, path: str, timeout_seconds: float
    ) -> tuple[int, bytes]:
        """GET through the API server's pod proxy: status and body."""
