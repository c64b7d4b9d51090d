"""One name for a set of manifests: equal sets have equal digests, in whatever order they come."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from pipelines.engine.difference.normal import strip
from pipelines.model.resource import Manifest


def digest(manifests: Iterable[Manifest]) -> str:
    """`sha256:` and 64 hex digits over what a person can set; status and what only the server
    writes do not count. Order inside lists does."""
    lines = sorted(
        json.dumps(strip(manifest), sort_keys=True, separators=(",", ":"), default=str)
        for manifest in manifests
    )
    return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()
