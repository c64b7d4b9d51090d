"""A watch as events: lines of JSON until the server ends it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pipelines.adapters.kubernetes.refusals import refusal
from pipelines.adapters.kubernetes.transport import Transport
from pipelines.model.errors import Unavailable
from pipelines.targets.kubernetes.cluster import Event

SILENT_SECONDS = 30.0
"""Longer than the server's own end of the watch: nothing at all then means a dead connection."""


def events(
    transport: Transport, path: str, *, kind: str, version: str, seconds: float
) -> Iterator[Event]:
    """Ends after `seconds` by the server's clock. Raises ApiRefused with reason `Expired` when the
    version is too old, Unavailable when the connection breaks."""
    query = {
        "watch": "1",
        "allowWatchBookmarks": "true",
        "resourceVersion": version,
        "timeoutSeconds": str(max(1, int(seconds))),
    }
    doing = f"watch {kind}"
    for line in transport.lines(path, doing=doing, query=query, seconds=seconds + SILENT_SECONDS):
        try:
            document = json.loads(line)
        except ValueError:
            raise Unavailable(f"cannot {doing}: the connection ended in a line") from None
        if document["type"] == "ERROR":
            status = document["object"]
            raise refusal(doing, int(status.get("code") or 500), json.dumps(status).encode())
        yield Event(document["type"], document["object"])
