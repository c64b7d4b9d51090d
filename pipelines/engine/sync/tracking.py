"""Whose an object is: the annotation `argocd.argoproj.io/tracking-id`.

`<application>:<group>/<kind>:<namespace>/<name>`. Controllers copy annotations to what they make, so
an id counts only on the object that it names.
"""

from __future__ import annotations

from pipelines.engine.sync.notes import TRACKING
from pipelines.model.errors import Refused
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import SyncSettings


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


def is_mine(resource: Resource, settings: SyncSettings) -> bool:
    """Whether the application's tracking id is on it, or one of an earlier name of the application."""
    name = owner(resource)
    if name in settings.earlier:
        return all(resource.labels.get(label) == value for label, value in settings.labels)
    return bool(name) and name == settings.application


def refuse_foreign(resource: Resource, settings: SyncSettings) -> None:
    """Raises Refused when another application has the object."""
    application, other = settings.application, owner(resource)
    if application and other and not is_mine(resource, settings):
        raise Refused(
            f"{resource.key} belongs to the application {other!r} "
            f"({TRACKING}: {resource.annotations[TRACKING]})",
            hint=f"remove it from {other!r} and take the annotation off, or name it otherwise here",
        )
