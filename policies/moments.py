"""Times in facts: UTC, from ISO 8601 with an offset."""

from __future__ import annotations

from datetime import UTC, datetime

from pipelines.model.errors import BadInput


def moment(text: str, what: str) -> datetime:
    """UTC. BadInput for text that is no time or lacks its offset."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise BadInput(
            f"{what}: {text!r:.60} is no time",
            hint="ISO 8601 with offset, such as 2026-01-02T03:04:05+00:00",
        )
    return read.astimezone(UTC)
