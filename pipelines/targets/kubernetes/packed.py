"""Live objects as compact JSON, unpacked when somebody looks and for as long as many others are not.

Five thousand unpacked workloads are 150 MB of dictionaries; packed they are 12 MB.
"""

from __future__ import annotations

import json
import threading
from typing import Any

from pipelines.model.resource import Manifest, Resource, ResourceKey

UNPACKED_BYTES = 4_000_000
"""So much JSON is kept unpacked (about ten times that in memory): a thousand objects of an ordinary
application, so that going through them twice unpacks them once."""


class Unpacked:
    """The objects that were looked at last. Thread-safe."""

    def __init__(self, most_bytes: int = UNPACKED_BYTES) -> None:
        self._most, self._size = most_bytes, 0
        self._known: dict[int, tuple[bytes, Manifest]] = {}
        self._lock = threading.Lock()

    def of(self, packed: bytes) -> Manifest:
        known = self._known.get(id(packed))
        if known is not None and known[0] is packed:
            return known[1]
        manifest: Manifest = json.loads(packed)
        with self._lock:
            if id(packed) not in self._known:
                self._size += len(packed)
            self._known[id(packed)] = (packed, manifest)
            while self._size > self._most and len(self._known) > 1:
                oldest = next(iter(self._known))
                self._size -= len(self._known.pop(oldest)[0])
        return manifest


class PackedResource(Resource):
    """A Resource whose manifest is not kept: each look may unpack it anew."""

    def __init__(self, key: ResourceKey, packed: bytes, unpacked: Unpacked) -> None:
        given: dict[str, Any] = {"key": key, "origin": "", "packed": packed, "unpacked": unpacked}
        for name, value in given.items():
            object.__setattr__(self, name, value)

    @property
    def manifest(self) -> Manifest:
        found: Manifest = self.__dict__["unpacked"].of(self.__dict__["packed"])
        return found
