"""Which objects the API server is asked about before anything is written.

A dry run costs as much as the write. Config maps, secrets and service accounts have rules so few
that only who may not write them is worth asking: one of each kind and namespace stands for all.
"""

from __future__ import annotations

import threading

from pipelines.engine.sync.moves import Do, Method
from pipelines.model.sync import Action

PLAIN = frozenset({("", "ConfigMap"), ("", "Secret"), ("", "ServiceAccount")})
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
