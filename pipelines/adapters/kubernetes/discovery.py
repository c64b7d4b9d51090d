"""Which kinds an API server serves, by one request where it can answer all at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipelines.adapters.kubernetes.transport import Transport
from pipelines.targets.kubernetes.cluster import ApiRefused, Kind

AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)
"""Served since Kubernetes 1.26; older servers answer the last form."""


def discover(transport: Transport) -> Mapping[tuple[str, str], Kind]:
    """(group, kind) → the version the server prefers among those that serve the kind."""
    found: dict[tuple[str, str], Kind] = {}
    for path in ("/api", "/apis"):
        document = transport.json(
            "GET", path, doing="ask which kinds are served", accept=AGGREGATED
        )
        if document.get("kind") == "APIGroupDiscoveryList":
            kinds = aggregated(document)
        else:
            kinds = one_by_one(transport, path, document)
        for kind in kinds:
            found.setdefault((kind.group, kind.kind), kind)
    return found


def aggregated(document: Mapping[str, Any]) -> Iterator[Kind]:
    """Versions come in the order of preference."""
    for item in document.get("items") or []:
        group = (item.get("metadata") or {}).get("name") or ""
        for version in item.get("versions") or []:
            for resource in version.get("resources") or []:
                kind = (resource.get("responseKind") or {}).get("kind")
                if kind:
                    yield Kind(
                        group=group,
                        version=version["version"],
                        kind=kind,
                        plural=resource["resource"],
                        namespaced=resource.get("scope") == "Namespaced",
                        verbs=frozenset(resource.get("verbs") or ()),
                    )


def one_by_one(transport: Transport, path: str, document: Mapping[str, Any]) -> Iterator[Kind]:
    """A group whose own server is away (a broken APIService) hides nothing but itself."""
    for group, version in _versions(document):
        place = f"{path}/{group}/{version}" if group else f"{path}/{version}"
        with contextlib.suppress(ApiRefused):
            listed = transport.json("GET", place, doing=f"ask what {place} serves")
            yield from _listed(group, version, listed.get("resources") or [])


def _versions(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for version in document.get("versions") or []:
        yield "", str(version)
    for group in document.get("groups") or []:
        preferred = (group.get("preferredVersion") or {}).get("version")
        versions = [entry["version"] for entry in group.get("versions") or []]
        for version in sorted(versions, key=lambda word: word != preferred):
            yield str(group["name"]), str(version)


def _listed(group: str, version: str, resources: Iterable[Mapping[str, Any]]) -> Iterator[Kind]:
    for resource in resources:
        if "/" not in resource["name"]:
            yield Kind(
                group=group,
                version=version,
                kind=resource["kind"],
                plural=resource["name"],
                namespaced=bool(resource.get("namespaced")),
                verbs=frozenset(resource.get("verbs") or ()),
            )
