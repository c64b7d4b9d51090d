"""What a hand changed in a slot or the edge, in words, and what takes it away: a sync."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from pipelines.engine.sync.steps import CONFIRM
from pipelines.model.live import Mend
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import Action, PlanStep
from pipelines.targets.kubernetes import drift_report
from pipelines.targets.kubernetes.cluster import Cluster
from pipelines.targets.kubernetes.layout import EDGE
from pipelines.targets.kubernetes.ports import Syncer

HEALED = (Action.CREATE, Action.CHANGE, Action.REPLACE, Action.PRUNE)
MOST_TOLD = 3
GONE_SECONDS = 15.0
POLL_SECONDS = 0.1


def mends(
    syncer: Syncer, cluster: Cluster, part: str, desired: Sequence[Resource]
) -> tuple[Mend, ...]:
    """One for each object that is not as desired; looking changes nothing."""
    found = [step for step in syncer.plan(part, desired) if step.action in HEALED]
    return tuple(
        Mend(_words(part, step), _act(syncer, cluster, part, desired, step), _details(step))
        for step in found
    )


def _act(
    syncer: Syncer, cluster: Cluster, part: str, desired: Sequence[Resource], step: PlanStep
) -> Callable[[], None]:
    def act() -> None:
        if any(change.immutable for change in step.changes):
            cluster.delete(step.key)
            _wait_gone(cluster, step.key)
        syncer.sync(part, desired)

    return act


def _wait_gone(cluster: Cluster, key: ResourceKey) -> None:
    until = time.monotonic() + GONE_SECONDS
    while cluster.get(key) is not None and time.monotonic() < until:
        time.sleep(POLL_SECONDS)


def _words(part: str, step: PlanStep) -> str:
    start = f"{part if part == EDGE else f'slot {part}'}: {step.key}"
    if step.action is Action.CREATE:
        return f"{start} was missing; made again"
    if step.action is Action.PRUNE:
        how = "removed when somebody confirms it (--confirm-prune)"
        return f"{start} is not desired any more; {how if step.message == CONFIRM else 'removed'}"
    found = drift_report.drifts([step])
    lines = [drift_report.line(one).removeprefix(f"{step.key}: ") for one in found[:MOST_TOLD]]
    more = f"; and {len(found) - MOST_TOLD} fields more" if len(found) > MOST_TOLD else ""
    return f"{start} was changed: {'; '.join(lines)}{more}; written again"


def _details(step: PlanStep) -> dict[str, Any]:
    """Field, manager and since when, for the audit and for machines."""
    return {"fields": [one.as_json() for one in drift_report.drifts([step])]}
