"""A Kubernetes object as data: its manifest, and the name it is found by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Manifest = Mapping[str, Any]
"""What JSON can say; never changed in place."""


@dataclass(frozen=True, slots=True, order=True)
class ResourceKey:
    """Identity without the version, as in Argo CD: `apps/v1` and `apps/v1beta1` name one object.

    `group` is empty for the core API; `namespace` is empty for cluster-scoped objects.
    """

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        kind = f"{self.group}/{self.kind}" if self.group else self.kind
        return f"{kind} {self.namespace}/{self.name}" if self.namespace else f"{kind} {self.name}"


@dataclass(frozen=True)
class Resource:
    """A manifest that has `apiVersion`, `kind` and a name (or, for hooks, a `generateName`).

    `origin` says where it was read (`file.yaml: document 3`), for messages.
    """

    manifest: Manifest
    origin: str = ""

    @cached_property
    def key(self) -> ResourceKey:
        metadata = self.metadata
        return ResourceKey(
            self.group, self.kind, metadata.get("namespace") or "", metadata.get("name") or ""
        )

    @property
    def api_version(self) -> str:
        return str(self.manifest.get("apiVersion", ""))

    @property
    def group(self) -> str:
        group, slash, _ = self.api_version.partition("/")
        return group if slash else ""

    @property
    def kind(self) -> str:
        return str(self.manifest.get("kind", ""))

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def namespace(self) -> str:
        return self.key.namespace

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self.manifest.get("metadata") or {}

    @property
    def annotations(self) -> Mapping[str, str]:
        return self.metadata.get("annotations") or {}

    @property
    def labels(self) -> Mapping[str, str]:
        return self.metadata.get("labels") or {}
