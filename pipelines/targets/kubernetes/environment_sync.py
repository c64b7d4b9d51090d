"""Slots and edge of an environment, by the sync engine.

Each slot is an application of its own, and so is the edge: a sync prunes what its application has no
more, and never what stands beside it. All of them look at one live cache.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from pipelines.engine.sync.moves import Limits
from pipelines.engine.sync.steps import CONFIRM
from pipelines.model.errors import Refused, SlipwayError, StaleToken, Unavailable
from pipelines.model.resource import Resource
from pipelines.model.slots import Slot
from pipelines.model.sync import Action, PlanStep, ResultCode, Retry, SyncOutcome, SyncSettings
from pipelines.targets.kubernetes.cluster import Cluster
from pipelines.targets.kubernetes.foreign import first_foreign
from pipelines.targets.kubernetes.layout import EDGE, SLOT_LABEL, Place
from pipelines.targets.kubernetes.live_cache import WatchedCache
from pipelines.targets.kubernetes.live_scope import LiveScope
from pipelines.targets.kubernetes.ports import Diary
from pipelines.targets.kubernetes.replicas import ignored_replicas
from pipelines.targets.kubernetes.sync_run import Syncer

OPTIONS = frozenset(
    {"ServerSideApply", "RespectIgnoreDifferences", "PrunePropagationPolicy=background"}
)
RETRY = Retry(limit=2, seconds=0.5)
SUCCEEDED, TERMINATED = "Succeeded", "Terminated"
WRITTEN = (ResultCode.SYNCED, ResultCode.PRUNED)


class EnvironmentSync:
    """Implements ports.Syncer. `timeout_seconds` is the limit of one sync, retries included."""

    def __init__(
        self, place: Place, cluster: Cluster, diary: Diary, *, timeout_seconds: float
    ) -> None:
        self.place, self.cluster, self.diary = place, cluster, diary
        # A slot that is staged starts; whether it gets ready is asked by the step that verifies it.
        self.limits = Limits(
            operation_seconds=timeout_seconds,
            wait_for_health=False,
            confirm=f"slipway sync {place.environment} --confirm-prune",
        )
        everything = replace(part_settings(place, EDGE), earlier=place.applications)
        self._cache = WatchedCache(cluster)
        self._scope = LiveScope(cluster, self._cache, everything)
        self._syncers: dict[str, Syncer] = {}
        self._lock = threading.RLock()

    def plan(self, part: str, desired: Sequence[Resource]) -> Sequence[PlanStep]:
        with self._lock:
            return self._syncer(part, desired).diff(desired)

    def sync(self, part: str, desired: Sequence[Resource]) -> None:
        with self._lock:
            syncer = self._syncer(part, desired)
            steps = syncer.diff(desired)
            if not steps:
                return
            self._refuse_to_wait(part, steps)
            outcome = syncer.sync(
                desired,
                stop=self.diary.stop(),
                limits=self.limits,
                confirmed=self.diary.confirmed,
            )
            self.diary.synced(part, outcome, _options(syncer.settings, self.limits))
        if outcome.phase != SUCCEEDED:
            raise failed(part, desired, outcome)

    def _refuse_to_wait(self, part: str, steps: Sequence[PlanStep]) -> None:
        """Where nothing is to be done but what waits for a person, a sync at each look would keep the
        environment busy for nothing, and who promotes would wait for it."""
        written = [step for step in steps if step.action is not Action.SKIP]
        held = [step for step in written if step.message == CONFIRM]
        if not held or len(held) < len(written) or self.diary.confirmed():
            return
        names = ", ".join(str(step.key) for step in held)
        raise Refused(
            f"{part} keeps {names}, which is not desired any more: Prune=confirm waits for a person",
            hint=f"to remove it: {self.limits.confirm}",
        )

    def close(self) -> None:
        for syncer in self._syncers.values():
            syncer.close()
        self._cache.stop()

    def _syncer(self, part: str, desired: Sequence[Resource]) -> Syncer:
        """With everything of the environment in its cache as it is now. Raises Refused when somebody
        else's sync has any of it, whether this part desires it or not."""
        settings = part_settings(self.place, part)
        if part not in self._syncers:
            self._syncers[part] = Syncer(self.cluster, settings, scope=self._scope)
        self._cache.catch_up()
        self._scope.cover(desired)
        self._refuse_foreign(desired)
        syncer = self._syncers[part]
        syncer.settings = replace(settings, ignore=ignored_replicas(desired, self._cache.store))
        return syncer

    def _refuse_foreign(self, desired: Sequence[Resource]) -> None:
        place, wanted = self.place, {one.key for one in desired}
        found = first_foreign(self._cache.store, wanted, {place.application}, place.is_ours)
        if found is not None:
            raise foreign(place, str(found[0]), found[1])


def part_settings(place: Place, part: str) -> SyncSettings:
    labels = ((SLOT_LABEL, part),) if part in list(Slot) else ()
    return SyncSettings(
        application=place.tracked_as(part),
        namespace=place.namespace,
        prune=True,
        self_heal=True,
        allow_empty=True,
        automated=True,
        options=OPTIONS,
        retry=RETRY,
        earlier=place.tracking if labels else (),
        labels=labels,
    )


def foreign(place: Place, key: str, other: str) -> Refused:
    return Refused(
        f"{key} belongs to the Application {other}, as its tracking id says",
        hint="let one of them act: delete that Application without its objects, or set"
        f" `kubernetes: {{controller: argo-cd}}` for {place.environment}",
    )


def failed(part: str, desired: Sequence[Resource], outcome: SyncOutcome) -> SlipwayError:
    """What ended a sync, what it had applied by then and what it had not."""
    done = [result.key for result in outcome.results if result.code in WRITTEN]
    refused = [r for r in outcome.results if r.code is ResultCode.SYNC_FAILED]
    left = [one.key for one in desired if one.key not in done]
    words = [f"{part} was not synced: {outcome.message}"]
    words += [f"{result.key}: {result.message}" for result in refused]
    words += [f"applied: {', '.join(map(str, done)) or 'nothing'}"]
    words += [f"not applied: {', '.join(map(str, left)) or 'nothing'}"]
    text = "; ".join(words)
    if outcome.phase == TERMINATED:
        return StaleToken(text)
    if outcome.details.get("away"):
        return Unavailable(text)
    return Refused(text)


def _options(settings: SyncSettings, limits: Limits) -> dict[str, object]:
    return {
        "application": settings.application,
        "syncOptions": sorted(settings.options),
        "prune": settings.prune,
        "timeout_seconds": limits.operation_seconds,
    }
