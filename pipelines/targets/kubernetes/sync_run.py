"""Syncing one application on one cluster: looking, planning, applying, waiting, healing.

syncer = Syncer(cluster, settings)
syncer.plan(desired)         what a sync would do
syncer.diff(desired)         the steps of it that change something
syncer.sync(desired)         do it; a SyncOutcome whatever happens
syncer.heal(desired, …)      keep it so (`self_heal.py`) until the returned healer is closed
syncer.close()
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from pipelines.engine.sync import plan as planning
from pipelines.engine.sync.moves import Limits
from pipelines.model.errors import BadInput, Refused, SlipwayError, Unavailable
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import Action, PlanStep, ResultCode, SyncOutcome, SyncPlan, SyncSettings
from pipelines.targets.kubernetes.cluster import Cluster
from pipelines.targets.kubernetes.decisions import Decisions
from pipelines.targets.kubernetes.live_cache import WatchedCache
from pipelines.targets.kubernetes.live_scope import LiveScope
from pipelines.targets.kubernetes.live_store import LiveView
from pipelines.targets.kubernetes.self_heal import Heal, Healer, now
from pipelines.targets.kubernetes.sync_operation import Attempt, Operation, nobody_confirms

WORKERS = 8
"""Requests at the same time: more make an API server on few cores slower, not faster."""

HEAL_SECONDS = 60.0
DONE = (ResultCode.SYNCED, ResultCode.PRUNED)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an operation is: `done` of `total` objects have a result."""

    message: str
    done: int
    total: int


def go_on() -> str:
    """The default of `stop`: nobody wants to end the operation."""
    return ""


def tell_nobody(progress: Progress) -> None:
    """The default of `progress`."""


class Syncer:
    """Several calls one after another use one live cache, so the second is quick. Not for several
    threads at once, except that `close` may be called from any."""

    def __init__(
        self,
        cluster: Cluster,
        settings: SyncSettings,
        *,
        workers: int = WORKERS,
        scope: LiveScope | None = None,
    ) -> None:
        """`scope`: what several syncers of one namespace share, with its live cache."""
        if not settings.application or not settings.namespace:
            raise BadInput(
                "a sync needs the names of its application and its namespace",
                hint="without them nothing says which objects may be pruned",
            )
        self.cluster, self.settings = cluster, settings
        self._scope = scope or LiveScope(cluster, WatchedCache(cluster), settings)
        self.cache = self._scope.cache
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="sync")
        self._decisions = Decisions(cluster, self._pool)

    def plan(self, desired: Sequence[Resource]) -> SyncPlan:
        """Raises BadInput for objects that cannot be meant, Refused where another application has
        one, ApiRefused for kinds that may not be read, Unavailable. What differs is tried dry: a
        change that would change nothing is none."""
        return self._decisions.decided(self._plan(desired))

    def diff(self, desired: Sequence[Resource]) -> tuple[PlanStep, ...]:
        """What is not as desired; hooks are no difference."""
        return differing(self.plan(desired))

    def sync(
        self,
        desired: Sequence[Resource],
        *,
        stop: Callable[[], str] = go_on,
        progress: Callable[[Progress], None] = tell_nobody,
        limits: Limits | None = None,
        confirmed: Callable[[], bool] = nobody_confirms,
    ) -> SyncOutcome:
        """`details` of the outcome: attempts, requests, whether the API server was `away` in the last
        one, and the plan's `warnings`. Raises only what `plan` raises, before anything was written.
        `stop` answers why to end the operation (a newer commit, a person's wish), or nothing; it is
        asked often. A failed attempt is tried again as `settings.retry` says, inside
        `limits.operation_seconds`. `confirmed`: has somebody agreed to what `Prune=confirm` holds back?
        Asked while it waits."""
        wanted = limits or Limits()
        started, clock = now(), time.monotonic()
        warnings: list[str] = []

        def left() -> float:
            return wanted.operation_seconds - (time.monotonic() - clock)

        def attempt(seconds: float, *, adopt: bool = False) -> Attempt:
            bounded = replace(wanted, operation_seconds=max(1.0, seconds), adopt=adopt)
            plan = self._decisions.decided(self._plan(desired), ask=False)
            warnings[:] = plan.warnings
            tried = self._decisions.tried
            operation = Operation(self.cluster, self.cache, self._pool, plan, bounded, tried=tried)
            return operation.run(stop, tell, confirmed=confirmed)

        def tell(message: str, done: int, total: int) -> None:
            progress(Progress(message, done, total))

        last, tries = attempt(wanted.operation_seconds, adopt=wanted.adopt), 1
        while last.again and tries <= self.settings.retry.limit:
            if not self._pause(tries, left(), stop):
                break
            last, tries = _once_more(attempt, last, left()), tries + 1
        return SyncOutcome(
            phase=last.phase,
            message=last.message,
            results=last.results,
            manifests=digest(desired),
            started_at=started,
            finished_at=now(),
            details={
                "attempts": tries,
                "requests": last.requests,
                "away": last.away,
                "warnings": warnings,
            },
        )

    def heal(self, desired: Sequence[Resource], healed: Callable[[Heal], None]) -> Healer:
        """Watches and heals drift of `desired` in a thread until the healer is closed; `healed` is
        called there once per healed object. Close it before the next `sync`. Raises as `plan`."""
        wanted = {
            step.key: step.desired
            for step in self._plan(desired).steps
            if step.desired is not None and step.action not in (Action.HOOK, Action.SKIP)
        }
        limits = Limits(operation_seconds=HEAL_SECONDS, dry_run=False)

        def plan(keys: Collection[ResourceKey]) -> SyncPlan:
            some = [wanted[key] for key in keys if key in wanted]
            live = LiveView(self.cache.store, lambda: keys)
            found = planning.plan(some, live, self.settings, only=keys, served=self._served())
            return self._decisions.decided(found)

        def apply(partial: SyncPlan, stop: Callable[[], str]) -> Attempt:
            operation = Operation(self.cluster, self.cache, self._pool, partial, limits)
            return operation.run(stop, lambda message, done, total: None)

        return Healer(self.cache, wanted, plan, apply, healed)

    def close(self) -> None:
        self.cache.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _plan(self, desired: Sequence[Resource]) -> SyncPlan:
        settings, store = self.settings, self.cache.store
        self._scope.cover(desired)
        names = (settings.application, *settings.earlier)
        live = LiveView(store, lambda: [key for name in names for key in store.of(name)])
        found = planning.plan(desired, live, settings, served=self._served())
        return replace(found, warnings=(*found.warnings, *self._scope.warnings()))

    def _served(self) -> dict[tuple[str, str], bool]:
        return {name: kind.namespaced for name, kind in self.cluster.kinds().items()}

    def _pause(self, tries: int, most: float, stop: Callable[[], str]) -> bool:
        """False when there is no time left, or when somebody wants to end the operation."""
        retry = self.settings.retry
        if most <= 0:
            return False
        seconds = min(most, retry.max_seconds, retry.seconds * retry.factor ** (tries - 1))
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if stop():
                return False
            time.sleep(min(0.2, max(0.0, until - time.monotonic())))
        return True


def differing(plan: SyncPlan) -> tuple[PlanStep, ...]:
    """The steps that change something; hooks are no difference."""
    same = (Action.NOTHING, Action.HOOK)
    return tuple(step for step in plan.steps if step.action not in same)


def _once_more(attempt: Callable[[float], Attempt], last: Attempt, seconds: float) -> Attempt:
    """Whatever comes of it, it does not take away what was done and told before."""
    try:
        found = attempt(seconds)
    except SlipwayError as error:
        words = f"; then it could not be planned again: {error.message}"
        return replace(
            last,
            message=f"{last.message.removesuffix(words)}{words}",
            again=not isinstance(error, Refused | BadInput),
            away=isinstance(error, Unavailable),
        )
    told = {(one.key, one.phase) for one in found.results}
    before = (one for one in last.results if (one.key, one.phase) not in told and one.code in DONE)
    return replace(found, results=(*before, *found.results))


def digest(desired: Iterable[Resource]) -> str:
    """sha256 over the desired objects, whatever their order."""
    lines = sorted(
        json.dumps(resource.manifest, sort_keys=True, separators=(",", ":")) for resource in desired
    )
    return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()
