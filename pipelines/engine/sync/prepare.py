"""Desired objects as they are sent: checked, in their namespace, marked as the application's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.engine.difference.applied import as_applied
from pipelines.engine.sync import hooks, kinds, notes, options
from pipelines.engine.sync.order import defined_kind
from pipelines.engine.sync.tracking import tracking_id
from pipelines.model.errors import BadInput
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import SyncSettings

Scopes = Mapping[tuple[str, str], bool]
"""(group, kind) → does it live in a namespace."""


def check(resource: Resource) -> None:
    """Raises BadInput for what Slipway would have to guess about, or to ignore."""
    kinds.check(resource)
    if resource.annotations:
        notes.check(resource)
        options.check(resource)
        hooks.check(resource)
    elif not resource.name:
        hooks.check(resource)


def scopes(resources: Sequence[Resource], served: Scopes) -> Scopes:
    """Kubernetes' own kinds, those that `resources` define, and those a cluster says it serves."""
    defined = {}
    for resource in resources:
        if made := defined_kind(resource.manifest):
            group, _, kind = made.rpartition("/")
            defined[group, kind] = resource.manifest["spec"].get("scope") != "Cluster"
    return {**kinds.NAMESPACED, **defined, **served}


def shown(live: Sequence[Resource]) -> Scopes:
    """What objects of a cluster say of kinds that nothing else defines: an API server writes the
    namespace of every object that is in one."""
    seen: dict[tuple[str, str], bool] = {}
    for one in live:
        served = one.metadata.get("uid") or one.metadata.get("resourceVersion")
        if one.namespace or served:
            kind = (one.group, one.kind)
            seen[kind] = seen.get(kind, False) or bool(one.namespace)
    return seen


def rendered_before(
    before: Mapping[ResourceKey, Resource], wanted: Mapping[ResourceKey, Resource]
) -> dict[ResourceKey, Resource]:
    """Objects of an earlier rendering as a server has them that they were applied to, so that what they
    alone set is seen to go. What stays as it is, or goes altogether, needs no such record."""
    return {
        key: Resource(as_applied(one.manifest), one.origin)
        if key in wanted and wanted[key].manifest != one.manifest
        else one
        for key, one in before.items()
    }


def check_scope(resource: Resource, scope: Scopes) -> None:
    """Raises BadInput for a namespace where the kind's own definition, or a cluster, has none."""
    if scope.get((resource.group, resource.kind)) is False:
        kinds.refuse_namespace(resource)


def placed(
    resource: Resource,
    settings: SyncSettings,
    scope: Scopes,
    live: Mapping[ResourceKey, Resource],
) -> Resource:
    """The object with its namespace and, where the application has a name, its tracking id.

    An object of unknown kind without a namespace lives in the application's, unless live has it in
    none. Raises BadInput where a namespace is needed and nobody says which.
    """
    metadata: Mapping[str, Any] = resource.metadata
    here = scope.get((resource.group, resource.kind))
    if here is None:
        here = bool(resource.namespace) or resource.key not in live
    changed: dict[str, Any] = {}
    if here and not resource.namespace:
        if not settings.namespace:
            raise BadInput(
                f"{resource.origin}: {resource.kind} {resource.name} needs a namespace",
                hint="add metadata.namespace, or --namespace NAME",
            )
        changed["namespace"] = settings.namespace
    elif not here and "namespace" in metadata:
        metadata = {name: value for name, value in metadata.items() if name != "namespace"}
        changed["name"] = resource.name
    if settings.application and resource.name:
        place = changed.get("namespace", resource.namespace)
        key = ResourceKey(resource.group, resource.kind, place if here else "", resource.name)
        changed["annotations"] = {
            **resource.annotations,
            notes.TRACKING: tracking_id(settings.application, key, settings.namespace),
        }
    if not changed:
        return resource
    return Resource({**resource.manifest, "metadata": {**metadata, **changed}}, resource.origin)
