"""Tracking ids: which application an object belongs to, written as Argo CD writes it.

`<application>:<group>/<kind>:<namespace>/<name>`; what has no namespace names the application's.
An id that names another object was copied (a ReplicaSet gets its Deployment's) and says nothing.
"""

from __future__ import annotations

from typing import Any

from pipelines.model.resource import Manifest, Resource
from pipelines.targets.kubernetes.cluster import TRACKING


def tracking_id(application: str, resource: Resource, namespace: str) -> str:
    key = resource.key
    return f"{application}:{key.group}/{key.kind}:{key.namespace or namespace}/{key.name}"


def application_of(resource: Resource) -> str:
    """Whose tracking id the object carries about itself; empty for nobody's."""
    value = resource.annotations.get(TRACKING, "")
    parts = str(value).split(":")
    if len(parts) < 3:
        return ""
    # Names of RBAC objects may have colons; an application's has none.
    application, kind, place = parts[0], parts[1], ":".join(parts[2:])
    key = resource.key
    namespace, _, name = place.partition("/")
    same = kind == f"{key.group}/{key.kind}" and name == key.name
    return application if same and (not key.namespace or namespace == key.namespace) else ""


def tracked(manifest: Manifest, value: str) -> Manifest:
    """The same manifest with the tracking id; nothing that is shared is changed."""
    metadata: dict[str, Any] = dict(manifest.get("metadata") or {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), TRACKING: value}
    return {**manifest, "metadata": metadata}
