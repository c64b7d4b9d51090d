"""An object as the API stores it: what can be compared with what, before any field is looked at."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from pipelines.engine.difference.rules import SERVER_ANNOTATIONS, SERVER_METADATA
from pipelines.model.resource import Manifest

IDENTITY = frozenset({"apiVersion", "kind", "status"})
# Added to every pod by the admission plugin DefaultTolerationSeconds.
ADDED_TOLERATIONS = frozenset({"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})


def strip(manifest: Manifest) -> dict[str, Any]:
    """Without status and what only the server writes; the rest is shared, not copied."""
    body = {name: value for name, value in manifest.items() if name != "status"}
    if isinstance(metadata := manifest.get("metadata"), dict):
        body["metadata"] = _metadata(metadata)
    return body


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in metadata.items()
        if name not in SERVER_METADATA or name in ("name", "namespace", "generateName")
    }
    if isinstance(annotations := metadata.get("annotations"), dict):
        kept["annotations"] = {
            name: value for name, value in annotations.items() if name not in SERVER_ANNOTATIONS
        }
    return kept


def as_wanted(desired: Manifest, live: Manifest) -> dict[str, Any]:
    """Desired in the words of live: without identity, text of secrets as bytes, and with what
    controllers fill in by design."""
    body = as_stored(desired)
    kind = desired.get("kind")
    if kind == "Secret":
        body = with_bytes(body)
    elif kind == "ClusterRole" and desired.get("aggregationRule"):
        body.pop("rules", None)  # written by a controller from other roles
    elif kind == "Pod":
        body = _tolerating(body, live)
    return body


def as_stored(manifest: Manifest) -> dict[str, Any]:
    """What of an object is compared."""
    body = {name: value for name, value in manifest.items() if name not in IDENTITY}
    metadata = manifest.get("metadata")
    if isinstance(metadata, dict):
        compared = {name: metadata[name] for name in metadata if name not in SERVER_METADATA}
        annotations = compared.get("annotations")
        if isinstance(annotations, dict) and not SERVER_ANNOTATIONS.isdisjoint(annotations):
            compared["annotations"] = {
                name: value for name, value in annotations.items() if name not in SERVER_ANNOTATIONS
            }
        body["metadata"] = compared
    return body


def with_bytes(secret: Mapping[str, Any]) -> dict[str, Any]:
    """`stringData` is write-only: the server encodes it into `data`, where it wins."""
    body = dict(secret)
    text = body.pop("stringData", None)
    if isinstance(text, dict):
        encoded = {
            name: base64.b64encode(str(value).encode()).decode()
            for name, value in text.items()
            if value is not None
        }
        data = body.get("data")
        body["data"] = {**(data if isinstance(data, dict) else {}), **encoded}
    return body


def _tolerating(body: dict[str, Any], live: Manifest) -> dict[str, Any]:
    spec, there = body.get("spec"), live.get("spec")
    if not isinstance(spec, dict) or not isinstance(there, dict):
        return body
    own, given = spec.get("tolerations"), there.get("tolerations")
    if not isinstance(own, list) or not isinstance(given, list):
        return body
    named = {str(item.get("key")) for item in own if isinstance(item, dict)}
    added = [
        item
        for item in given
        if isinstance(item, dict) and str(item.get("key")) in ADDED_TOLERATIONS - named
    ]
    return {**body, "spec": {**spec, "tolerations": [*own, *added]}}
