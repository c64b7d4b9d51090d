"""A watch as events: lines of JSON until the server ends it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pipelines.adapters.kubernetes.refusals import refusal
from pipelines.adapters.kubernetes.transport import Lines, Transport
from pipelines.model.errors import Unavailable
from pipelines.targets.kubernetes.cluster import Event

SILENT_SECONDS = 90.0
"""A server sends a bookmark about every minute: nothing at all for longer is a dead connection."""


class Watch:
    """Ends after `seconds` by the server's clock, or when another thread calls `close`. Raises
    ApiRefused with reason `Expired` when the version is too old, Unavailable when it breaks."""

    def __init__(
        self, transport: Transport, path: str, *, kind: str, version: str, seconds: float
    ) -> None:
        self._doing = f"watch {kind}"
        self._lines: Lines = transport.lines(
            path,
            doing=self._doing,
            query={
                "watch": "1",
                "allowWatchBookmarks": "true",
                "resourceVersion": version,
                "timeoutSeconds": str(max(1, int(seconds))),
            },
            seconds=SILENT_SECONDS,
        )

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        line = next(self._lines)
        try:
            document = json.loads(line)
        except ValueError:
            raise Unavailable(f"cannot {self._doing}: the connection ended in a line") from None
        if document["type"] == "ERROR":
            status = document["object"]
            code = int(status.get("code") or 500)
            raise refusal(self._doing, code, json.dumps(status).encode())
        return Event(document["type"], document["object"])

    def close(self) -> None:
        self._lines.close()
