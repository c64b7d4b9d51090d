"""Which objects the API server is asked about before anything is written.

A dry run costs as much as the write. Config maps, secrets and service accounts have rules so few
that only who may not write them is worth asking: one of each kind and namespace stands for all.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from pipelines.engine.sync.moves import Do, Method
from pipelines.model.resource import Manifest
from pipelines.model.sync import Action

PLAIN = frozenset({("", "ConfigMap"), ("", "Secret"), ("", "ServiceAccount")})
HEADLESS = "None"
SMALL_BYTES = 500_000
"""Together with its managed fields, an object of that size is far from the API server's limit."""


class DryRuns:
    """Of one operation. Thread-safe."""

    def __init__(self) -> None:
        self._asked: set[tuple[str, str, str]] = set()
        self._lock = threading.Lock()

    def decides(self, do: Do) -> bool:
        """False when the answer would say nothing that is not known."""
        key, step = do.task.key, do.step
        if do.method is not Method.APPLY or (key.group, key.kind) not in PLAIN:
            return True
        if step.action is not Action.CREATE or not _is_plain(do):
            return True
        with self._lock:
            place = (key.group, key.kind, key.namespace)
            first = place not in self._asked
            self._asked.add(place)
        return first


def beside_itself(manifest: Manifest) -> Manifest:
    """What will be deleted and created anew, so that it can be tried while it is still there: under a
    name that is free, and without the addresses and ports that its former self still holds."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name != "name"}
    tried = {**manifest, "metadata": {**metadata, "generateName": manifest["metadata"]["name"]}}
    spec = manifest.get("spec")
    if (manifest.get("apiVersion"), manifest.get("kind")) != ("v1", "Service"):
        return tried
    return {**tried, "spec": _without_allocated(spec)} if isinstance(spec, dict) else tried


def _without_allocated(spec: Mapping[str, Any]) -> Manifest:
    """A Service without an address (headless) stays so."""
    left_out = {"healthCheckNodePort"}
    if spec.get("clusterIP") != HEADLESS and spec.get("clusterIPs") != [HEADLESS]:
        left_out |= {"clusterIP", "clusterIPs"}
    found = {name: value for name, value in spec.items() if name not in left_out}
    if isinstance(found.get("ports"), list):
        found["ports"] = [_without_node_port(port) for port in found["ports"]]
    return found


def _without_node_port(port: Any) -> Any:
    if not isinstance(port, dict):
        return port
    return {name: value for name, value in port.items() if name != "nodePort"}


def _is_plain(do: Do) -> bool:
    """Only names and texts that are surely valid."""
    manifest = do.manifest or {}
    known = {"apiVersion", "kind", "metadata", "data", "stringData", "type", "immutable"}
    if not known.issuperset(manifest) or manifest.get("type", "Opaque") != "Opaque":
        return False
    if do.task.key.kind == "Secret" and manifest.get("data"):
        return False
    texts = [manifest.get(name) for name in ("data", "stringData")]
    return all(part is None or _are_texts(part) for part in texts) and _is_name(do.task.key.name)


def _are_texts(part: object) -> bool:
    if not isinstance(part, dict):
        return False
    size = 0
    for name, text in part.items():
        if not isinstance(text, str) or not _is_name(str(name).replace("_", "-").lower()):
            return False
        size += len(text)
    return size < SMALL_BYTES


def _is_name(name: str) -> bool:
    plain = name.replace("-", "").replace(".", "")
    return plain.isalnum() and plain.isascii() and plain == plain.lower() and len(name) <= 200 and (
        name[0].isalnum() and name[-1].isalnum()
    )  # fmt: skip
