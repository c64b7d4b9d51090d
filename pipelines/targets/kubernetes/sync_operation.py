"""One attempt of a sync: drives the pure machine against a cluster until it has finished."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from pipelines.engine.sync.machine import Machine
from pipelines.engine.sync.moves import Act, Do, Finished, Limits, Move, Verb
from pipelines.engine.sync.steps import CONFIRM
from pipelines.model.resource import ResourceKey
from pipelines.model.sync import Action, ResourceResult, SyncPlan
from pipelines.targets.kubernetes.cluster import Cluster
from pipelines.targets.kubernetes.dry_run import DryRuns
from pipelines.targets.kubernetes.live_cache import WatchedCache
from pipelines.targets.kubernetes.live_store import LiveView
from pipelines.targets.kubernetes.sync_requests import Answer, Requests

LOOK_SECONDS = 0.25
"""How long a wait for the cluster lasts before `stop` is asked again."""

MOST_HELD = 5


@dataclass(frozen=True, slots=True)
class Attempt:
    """`again`: another attempt may end better. `requests` is how many were sent. `away`: the
    API server did not answer one of them."""

    phase: str
    message: str
    results: tuple[ResourceResult, ...]
    again: bool
    requests: int
    away: bool = False


def nobody_confirms() -> bool:
    """The default of `confirmed`: what `Prune=confirm` holds back waits until the time is over."""
    return False


class Operation:
    """Used once."""

    def __init__(
        self,
        cluster: Cluster,
        cache: WatchedCache,
        pool: Executor,
        plan: SyncPlan,
        limits: Limits,
        *,
        tried: Callable[[Do], bool] = lambda do: False,
    ) -> None:
        """`tried`: was this dry run sent already, and taken?"""
        self._cache, self._pool, self._plan = cache, pool, plan
        self._machine = Machine(plan, limits, started_seconds=time.monotonic())
        self._requests = Requests(cluster, plan.settings.options, cache.look_again)
        self._dry_runs, self._tried = DryRuns(), tried
        self._keys: frozenset[ResourceKey] = frozenset(step.key for step in plan.steps)
        self._view = LiveView(cache.store, lambda: self._keys)
        self._until = time.monotonic() + limits.operation_seconds
        self._why = self._away = ""
        self._vain = False
        self._held_back = any(step.message == CONFIRM for step in plan.steps)
        self._sent = 0

    def run(
        self,
        stop: Callable[[], str],
        tell: Callable[[str, int, int], None],
        *,
        confirmed: Callable[[], bool] = nobody_confirms,
    ) -> Attempt:
        while True:
            turn = self._cache.store.turn
            self._ask(stop)
            self._approve(confirmed)
            move: Move = self._machine.next(self._view, time.monotonic())
            if isinstance(move, Finished):
                return self._finished(move)
            tell(move.message, len(self._machine.results()), len(self._plan.steps))
            if isinstance(move, Act):
                self._act(move, stop)
            else:
                seconds = LOOK_SECONDS if move.seconds is None else min(LOOK_SECONDS, move.seconds)
                self._cache.store.wait(turn, max(0.0, seconds))

    def _ask(self, stop: Callable[[], str]) -> None:
        if not self._why and (why := stop()):
            self._why = why
            self._machine.terminate(why)

    def _approve(self, confirmed: Callable[[], bool]) -> None:
        """Nobody is asked where nothing is held back, nor again once they agreed."""
        if self._held_back and confirmed():
            self._machine.approve_prunes()
            self._held_back = False

    def _act(self, act: Act, stop: Callable[[], str]) -> None:
        for group in act.groups:
            for answer in self._pool.map(lambda do: self._one(do, stop), group):
                self._vain = self._vain or (not answer.ok and answer.permanent)
                self._machine.report(
                    answer.do, ok=answer.ok, message=answer.message, live=answer.live
                )

    def _one(self, do: Do, stop: Callable[[], str]) -> Answer:
        if do.verb is Verb.DRY_RUN and (self._tried(do) or not self._dry_runs.decides(do)):
            return Answer(do, True, "")
        if why := self._not_sent(do, stop):
            return Answer(do, False, f"not sent: {why}", permanent=not self._away)
        self._sent += 1
        answer = self._requests.carry_out(do)
        if answer.away:
            self._away = answer.message
        if answer.live is not None and do.verb is not Verb.DRY_RUN:
            # Who plans next must see what was written, however late the watch is.
            key = self._cache.store.put(answer.live.manifest)
            return replace(answer, live=self._cache.store.get(key))
        return answer

    def _not_sent(self, do: Do, stop: Callable[[], str]) -> str:
        """Why the rest of a group is left out: a thousand requests to a server that is away, each
        with its own time limit, would take hours."""
        if self._away:
            return "the API server did not answer the request before"
        if do.verb not in (Verb.DRY_RUN, Verb.APPLY) or self._why:
            return ""
        if time.monotonic() > self._until:
            return "the time of the operation is over"
        return stop()

    def _finished(self, move: Finished) -> Attempt:
        return Attempt(
            phase=move.phase,
            message="; ".join([move.message, *self._held()]),
            results=self._machine.results(),
            again=move.phase in ("Failed", "Error") and not self._vain and not self._why,
            requests=self._sent,
            away=bool(self._away),
        )

    def _held(self) -> list[str]:
        """Which objects that should be gone wait for somebody to take a finalizer off."""
        found = []
        for step in self._plan.steps:
            live = self._view.get(step.key) if step.action is Action.PRUNE else None
            if live is not None and live.metadata.get("deletionTimestamp"):
                names = ", ".join(live.metadata.get("finalizers") or []) or "nothing we can see"
                found.append(f"{step.key} is being deleted and held by {names}")
        return found[:MOST_HELD]
