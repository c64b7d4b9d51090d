"""Whether a sync would change an object that is not as its manifest says: a dry run of it decides.

A webhook may rewrite what is applied. Such an object never is as its manifest says, and to apply it
again and again would change nothing but the minds of those who read that it was healed.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

from pipelines.engine.sync.moves import Do, Verb
from pipelines.engine.sync.tasks import RunningTask
from pipelines.model.errors import SlipwayError, Unavailable
from pipelines.model.resource import Manifest, Resource, ResourceKey
from pipelines.model.sync import Action, SyncPlan
from pipelines.targets.kubernetes.cluster import Cluster

ASK_SECONDS = 10.0
"""After that the rest counts as different: the sync asks, and says what is wrong."""
NOT_COMPARED = ("generation", "managedFields", "resourceVersion")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a dry run of the manifest with that digest made of the live object of that version."""

    version: str
    manifest: str
    same: bool


class Decisions:
    """Of one syncer. An object is asked about once, until it or its manifest changes. Thread-safe."""

    def __init__(self, cluster: Cluster, pool: Executor) -> None:
        self._cluster, self._pool = cluster, pool
        self._known: dict[ResourceKey, _Answer] = {}

    def decided(self, plan: SyncPlan, *, ask: bool = True) -> SyncPlan:
        """The plan without changes that would change nothing. Without `ask` only what is known counts.
        What the API server does not answer, or refuses, stays a change."""
        doubtful = list(_doubtful(plan))
        if ask and doubtful:
            self._ask([do for do in doubtful if not self.tried(do)])
        same = {do.task.key for do in doubtful if self.tried(do) and self._known[do.task.key].same}
        if not same:
            return plan
        steps = (
            replace(step, action=Action.NOTHING, changes=())
            if step.action is Action.CHANGE and step.key in same
            else step
            for step in plan.steps
        )
        return replace(plan, steps=tuple(steps))

    def tried(self, do: Do) -> bool:
        """Has the API server taken this very manifest, dry, for the object as it is?"""
        known = self._known.get(do.task.key)
        if known is None or do.step.live is None:
            return False
        return known.version == _version(do.step.live) and known.manifest == _digest(do.manifest)

    def _ask(self, questions: list[Do]) -> None:
        until = time.monotonic() + ASK_SECONDS
        away = list[str]()

        def ask(do: Do) -> None:
            if away or time.monotonic() > until or do.manifest is None or do.step.live is None:
                return
            try:
                answer = self._cluster.apply(do.manifest, dry_run=True)
            except Unavailable as error:
                away.append(error.message)
            except SlipwayError:
                return
            else:
                live = do.step.live
                same = _compared(answer) == _compared(live)
                self._known[do.task.key] = _Answer(_version(live), _digest(do.manifest), same)

        list(self._pool.map(ask, questions))


def _doubtful(plan: SyncPlan) -> Iterator[Do]:
    """What would be applied to an object that is there; the API server refuses immutable changes."""
    for step in plan.steps:
        if step.action is Action.CHANGE and not any(change.immutable for change in step.changes):
            yield RunningTask(step).do(Verb.DRY_RUN, plan.settings)


def _version(live: Resource) -> str:
    return str(live.metadata.get("resourceVersion") or "")


def _digest(manifest: Manifest | None) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _compared(resource: Resource) -> dict[str, Any]:
    """Without what a write changes in any case, and what no apply writes."""
    metadata = {key: value for key, value in resource.metadata.items() if key not in NOT_COMPARED}
    found = {key: value for key, value in resource.manifest.items() if key != "status"}
    return {**found, "metadata": metadata}
