"""What a controller in a cluster writes down of a sync or a heal, and what it follows from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipelines.engine.sync import hooks
from pipelines.model.resource import Resource
from pipelines.model.slots import Slot
from pipelines.model.sync import ResourceResult, SyncSettings
from pipelines.model.sync_state import SyncState
from pipelines.targets.kubernetes.layout import EDGE, ENVIRONMENT_LABEL, NAME_LABEL
from pipelines.targets.kubernetes.self_heal import Heal
from pipelines.targets.kubernetes.sync_states import SLOTS

PATHS: Mapping[str, Sequence[str]] = {SLOTS: list(Slot), EDGE: [EDGE]}
"""Folders of the branch, and the parts in them."""
MOST_HISTORY = 20
MOST_FIELDS = 5


def earlier(desired: Iterable[Resource], paths: Iterable[str]) -> tuple[str, ...]:
    """What the release host's own syncer tracks these objects as: they are taken over from it."""
    places = {(one.labels.get(NAME_LABEL), one.labels.get(ENVIRONMENT_LABEL)) for one in desired}
    return tuple(
        f"{application}-{environment}-{part}"
        for application, environment in sorted((a, e) for a, e in places if a and e)
        for path in paths
        for part in PATHS.get(path, ())
    )


def hook_seconds(desired: Sequence[Resource]) -> float:
    """What hook Jobs may take by their own limits; a soak is longer than any sync."""
    limits = [
        (one.manifest.get("spec") or {}).get("activeDeadlineSeconds")
        for one in desired
        if hooks.is_hook(one) and one.kind == "Job"
    ]
    return float(sum(one for one in limits if isinstance(one, int)))


def marked(desired: Sequence[Resource], state: SyncState) -> list[Resource]:
    """Its hooks name the operation, so that whoever takes it up knows them."""
    operation = f"{state.revision} {state.started_at}"
    return [hooks.marked(one, operation) if hooks.is_hook(one) else one for one in desired]


def options(settings: SyncSettings) -> dict[str, Any]:
    return {
        "syncOptions": sorted(settings.options),
        "prune": settings.prune,
        "selfHeal": settings.self_heal,
        "retry": settings.retry.limit,
    }


def result(one: ResourceResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "resource": str(one.key),
        "phase": str(one.phase),
        "wave": one.wave,
        "result": str(one.code),
        "message": one.message,
    }
    return {**found, "hook": one.hook_phase} if one.hook_phase else found


def history(state: SyncState) -> dict[str, Any]:
    """All there is to tell of a sync that ended; how much of it has room is for the state to say."""
    names = (
        *("revision", "phase", "message", "started_at", "finished_at", "actor", "manifests"),
        *("options", "results", "results_left_out"),
    )
    counts = Counter(str(one.get("result")) for one in state.results)
    return {name: getattr(state, name) for name in names} | {"counts": dict(sorted(counts.items()))}


def heal(one: Heal) -> dict[str, Any]:
    return {
        "resource": str(one.key),
        "action": str(one.action),
        "fields": [
            {"path": change.path, "manager": change.manager, "since": change.since}
            for change in one.changes[:MOST_FIELDS]
        ],
        "at": one.at,
        "seconds": round(one.seconds, 3),
        "ok": one.ok,
        "message": one.message,
    }


def heal_words(one: Heal) -> str:
    fields = [f"{c.path} ({c.manager})" if c.manager else c.path for c in one.changes[:MOST_FIELDS]]
    what = f": {', '.join(fields)}" if fields else ""
    if not one.ok:
        return f"not healed: {one.key}{what}: {' '.join(one.message.split())}"
    return f"healed {one.key}{what} in {one.seconds:.2f} s"
