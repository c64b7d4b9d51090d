"""Which releases nobody needs any more: a pure function of when they were built and used."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from pipelines.model.release import Release


def expendable(
    releases: Iterable[Release],
    *,
    named: Collection[str],
    used_since: datetime,
    used: Collection[str],
) -> list[str]:
    """Built before `used_since` (the start of the longest rollback window), in none of the slots,
    services and rows (`named`), and in no operation since then (`used`). The newest build stays."""
    known = sorted(releases, key=_built_at)
    return [
        release.id
        for release in known[:-1]
        if _built_at(release) < used_since and release.id not in {*named, *used}
    ]


def window_start(now: datetime, hours: Iterable[float]) -> datetime:
    return now - timedelta(hours=max(hours, default=0.0))


def _built_at(release: Release) -> datetime:
    return datetime.fromisoformat(release.built_at)
