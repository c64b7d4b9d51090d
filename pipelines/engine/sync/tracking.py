"""Whose an object is: the annotation `argocd.argoproj.io/tracking-id`.

`<application>:<group>/<kind>:<namespace>/<name>`. Controllers copy annotations to what they make, so
an id counts only on the object that it names.
"""

from __future__ import annotations

from pipelines.engine.sync.notes import TRACKING
from pipelines.model.errors import Refused
from pipelines.model.resource import Resource, ResourceKey


def tracking_id(application: str, key: ResourceKey, namespace: str) -> str:
    """`namespace` is the application's: Argo CD writes it for objects that live in none."""
    return f"{application}:{key.group}/{key.kind}:{key.namespace or namespace}/{key.name}"


def owner(resource: Resource) -> str:
    """The application whose object this is; empty when it is nobody's or the id was copied."""
    text = resource.annotations.get(TRACKING) or ""
    application, colon, rest = text.partition(":")
    if not colon:
        return ""
    key = resource.key
    kind, _, place = rest.partition(":")
    if kind != f"{key.group}/{key.kind}" or place.rpartition("/")[2] != key.name:
        return ""
    namespace = place.rpartition("/")[0]
    return application if not key.namespace or namespace == key.namespace else ""


def refuse_foreign(resource: Resource, application: str) -> None:
    """Raises Refused when another application has the object."""
    other = owner(resource)
    if application and other and other != application:
        raise Refused(
            f"{resource.key} belongs to the application {other!r} "
            f"({TRACKING}: {resource.annotations[TRACKING]})",
            hint=f"remove it from {other!r} and take the annotation off, or name it otherwise here",
        )
