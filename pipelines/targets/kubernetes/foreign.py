"""Objects of an environment that somebody else's sync has: one actor for each environment."""

from __future__ import annotations

from collections.abc import Callable, Collection

from pipelines.model.resource import ResourceKey
from pipelines.targets.kubernetes.layout import NAME_LABEL
from pipelines.targets.kubernetes.live_store import LiveStore


def first_foreign(
    store: LiveStore,
    wanted: Collection[ResourceKey],
    names: Collection[str],
    is_ours: Callable[[str], bool],
) -> tuple[ResourceKey, str] | None:
    """An object and the Application that tracks it, where that is not ours: one that is wanted, or
    that carries one of `names` as its `app.kubernetes.io/name`."""
    for other in sorted(store.applications()):
        if is_ours(other):
            continue
        for key in sorted(store.of(other)):
            live = store.get(key)
            if key in wanted or (live is not None and live.labels.get(NAME_LABEL) in names):
                return key, other
    return None
