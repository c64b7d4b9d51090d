"""Health of a whole application: as bad as the worst of what it is made of."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.engine.health.assess import assess
from pipelines.engine.sync.hooks import is_hook, is_skipped
from pipelines.engine.sync.notes import IGNORE_HEALTH
from pipelines.model.live import Health
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import ResourceHealth

ORDER = {state: rank for rank, state in enumerate(Health)}  # best to worst
CHILD = ("argoproj.io", "Application")
CAUSES = 3


def application_health(
    objects: Iterable[tuple[Resource | None, Resource | None]], *, itself: ResourceKey | None = None
) -> ResourceHealth:
    """Argo CD's rules, over pairs of (desired, live); the message names at most three causes.

    Hooks, what is kept out of syncs, what asks to be left out, and the application's own object
    (`itself`) do not count. A missing object alone does not either, it is out of sync already; an
    application of which nothing is live is Missing.
    """
    worst, causes = Health.HEALTHY, list[ResourceKey]()
    seen = alive = False
    for desired, live in objects:
        if (desired and is_skipped(desired)) or (live and is_hook(live)):
            continue
        seen, alive = True, alive or live is not None
        state = _state(live, itself) if live else None
        if live is None or state is None:
            continue
        if ORDER[state] > ORDER[worst]:
            worst, causes = state, [live.key]
        elif state is worst and state is not Health.HEALTHY:
            causes.append(live.key)
    if seen and not alive and ORDER[worst] < ORDER[Health.MISSING]:
        return ResourceHealth(Health.MISSING)
    return ResourceHealth(worst, _words(causes))


def _state(live: Resource, itself: ResourceKey | None) -> Health | None:
    """None: it does not count."""
    if live.annotations.get(IGNORE_HEALTH) == "true" or live.key == itself:
        return None
    found = assess(live.manifest)
    if found is None:
        return None
    child = (live.group, live.kind) == CHILD
    return None if child and found.status in (Health.MISSING, Health.UNKNOWN) else found.status


def _words(causes: list[ResourceKey]) -> str:
    if not causes:
        return ""
    named = ", ".join(map(_name, causes[:CAUSES]))
    more = len(causes) - CAUSES
    return f"Caused by {named}" + (f" and {more} more" if more > 0 else "")


def _name(key: ResourceKey) -> str:
    kind = f"{key.group}/{key.kind}" if key.group else key.kind
    return f"{kind}:{key.namespace}/{key.name}" if key.namespace else f"{kind}:{key.name}"
