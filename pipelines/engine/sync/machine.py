"""A running sync as a machine: what happened so far and what is live, in; what to do next, out.

No clock, no network, no threads: `moves.py` says how a runtime drives it. The rules are Argo CD's:
everything is tried dry before anything is written; one (phase, wave) at a time, prunes first, then
groups of one kind; the next one begins when hooks succeeded, what was applied is healthy and what was
pruned is gone; the last one is not waited for unless it has hooks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from pipelines.engine.sync import hooks
from pipelines.engine.sync.dry_run import worth_trying
from pipelines.engine.sync.hooks import DeletePolicy
from pipelines.engine.sync.moves import Act, Do, Finished, Limits, Move, Verb, Wait
from pipelines.engine.sync.outcome import record, results_of
from pipelines.engine.sync.tasks import (
    ERROR,
    FAILED,
    RUNNING,
    SUCCEEDED,
    RunningTask,
    uid,
)
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import Action, ResourceResult, ResultCode, SyncPlan

Live = Mapping[ResourceKey, Resource]
LOOK_SECONDS = 2.0
"""How late a cache may be before the API server itself is asked about an object."""


class Machine:
    """One operation. `started_seconds` and `now_seconds` are of one clock that never goes back."""

    def __init__(self, plan: SyncPlan, limits: Limits, *, started_seconds: float) -> None:
        self.plan, self.limits, self.started = plan, limits, started_seconds
        self.settings = plan.settings
        self.tasks = [
            RunningTask(step)
            for step in plan.steps
            if step.action is not Action.SKIP or step.desired is None
        ]
        places = [task.place for task in self.tasks]
        self._many = bool(places) and places[0] != places[-1]
        self._by_id = {task.id: task for task in self.tasks}
        assert len(self._by_id) == len(self.tasks), "a plan has one step for an object in a phase"
        self._open: set[tuple[Verb, object]] = set()
        self._dry = not limits.dry_run
        self._dry_failed = self._approved = self._last_applied = False
        self._place: object = None
        self._rest_until: float | None = None
        self._stop: tuple[str, str] | None = None
        self._end: Finished | None = None
        self._waited_for = ""

    def next(self, live: Live, now_seconds: float) -> Move:
        """The next move; the same one again while nothing was reported and nothing changed."""
        if self._end:
            return self._end
        if self._open:
            return Wait(f"waiting for {len(self._open)} answers of the API server")
        limit = self.limits.operation_seconds
        if not self._stop and now_seconds - self.started > limit:
            last = f"; was {self._waited_for}" if self._waited_for else ""
            self._stop = ("Failed", f"took longer than {limit:g} seconds{last}")
        self._observe(live, now_seconds)
        move = self._ending(live) if self._stop else self._going_on(live, now_seconds)
        if isinstance(move, Act):
            self._open = {(do.verb, do.task) for group in move.groups for do in group}
        elif isinstance(move, Finished):
            self._end = move
        else:
            self._waited_for = move.message
        return move

    def report(self, do: Do, *, ok: bool, message: str, live: Resource | None = None) -> None:
        """What became of one request; `live` is the object as the API server answered."""
        self._open.discard((do.verb, do.task))
        task = self._by_id[do.task]
        if do.verb is Verb.DRY_RUN and not ok:
            self._dry_failed = True
        record(task, do.verb, ok=ok, message=message, live=live)

    def approve_prunes(self) -> None:
        """Somebody confirmed what `Prune=confirm` holds back."""
        self._approved = True

    def terminate(self, why: str) -> None:
        """End as soon as running hooks are deleted: a person's wish, or a newer commit."""
        self._stop = self._stop or ("Terminated", why)

    def results(self) -> tuple[ResourceResult, ...]:
        """What was touched so far, in the order of the plan; once it has finished also what it did not
        come to."""
        return results_of(self.tasks, ended=self._end is not None)

    def _going_on(self, live: Live, now: float) -> Move:
        stages: tuple[Callable[[Live, float], Move | None], ...] = (
            *(self._look, self._create_namespace, self._try_dry, self._wait_for_running),
            *(self._wait_for_prunes, self._release, self._fail, self._succeed, self._advance),
        )
        while True:
            for stage in stages:
                if move := stage(live, now):
                    return move
            self._observe(live, now)

    def _observe(self, live: Live, now: float) -> None:
        for task in self.tasks:
            if self._judged(task):
                task.observe(live)
                task.looked_seconds = task.looked_seconds or now

    def _judged(self, task: RunningTask) -> bool:
        """Does what becomes of it still decide how the sync ends? What nobody waits for does not, or the
        health of an object that was applied well would fail the sync that applied it."""
        if task.state != RUNNING:
            return False
        waited = self.limits.wait_for_health and not self._last_applied
        return task.hook or waited or self.limits.wait_for_last

    def _act(self, verb: Verb, tasks: Iterable[RunningTask], message: str) -> Act | None:
        """One group of `verb`; None when there is nothing to do."""
        group = tuple(task.do(verb, self.settings) for task in tasks)
        return Act((group,), message) if group else None

    def _look(self, live: Live, now: float) -> Move | None:
        """An object that was applied and that no cache shows after a while is asked for."""
        late = [
            task
            for task in self.tasks
            if self._judged(task)
            and not task.seen
            and task.step.key not in live
            and now - task.looked_seconds > LOOK_SECONDS
        ]
        for task in late:
            task.looked_seconds = now
        return self._act(Verb.LOOK, late, "reading what no watch showed yet")

    def _create_namespace(self, live: Live, now: float) -> Move | None:
        """The application's namespace comes before the dry run, which needs it."""
        name = self.settings.namespace
        for task in self.tasks:
            key = task.step.key
            if (key.group, key.kind, key.name) != ("", "Namespace", name):
                continue
            if task.step.action is Action.CREATE and not task.state:
                return self._act(Verb.APPLY, [task], f"creating namespace {name}")
        return None

    def _try_dry(self, live: Live, now: float) -> Move | None:
        if self._dry_failed:
            return Finished(
                "Failed", self._because("one or more objects failed to apply (dry run)")
            )
        if self._dry or any(task.unsuccessful for task in self.tasks):
            return None
        self._dry = True
        tasks = worth_trying(self.tasks, self.settings)
        return self._act(Verb.DRY_RUN, tasks, "trying everything dry")

    def _wait_for_running(self, live: Live, now: float) -> Move | None:
        failed = any(task.code is ResultCode.SYNC_FAILED for task in self._regular())
        if self._last_applied and not failed and not self.limits.wait_for_last:
            return None
        waited = [
            task
            for task in self.tasks
            if task.state == RUNNING
            and (task.hook or self._waits_for_health)
            and (task.fail_hook or not failed)
        ]
        return self._waiting(waited) if waited else None

    @property
    def _waits_for_health(self) -> bool:
        return self.limits.wait_for_last or (self._many and self.limits.wait_for_health)

    def _wait_for_prunes(self, live: Live, now: float) -> Move | None:
        if self._last_applied and not self.limits.wait_for_last:
            return None
        going = [t for t in self.tasks if t.code is ResultCode.PRUNED and t.remains(live)]
        return self._waiting(going, deleted=True) if going else None

    def _release(self, live: Live, now: float) -> Move | None:
        """The finalizer of hooks that are done, so that they can be deleted."""
        held = [task for task in self.tasks if task.completed and self._held(task, live)]
        return self._act(Verb.RELEASE, held, "releasing finished hooks")

    def _held(self, task: RunningTask, live: Live) -> bool:
        found = task.current(live) if task.hook and not task.released else None
        return found is not None and hooks.has_finalizer(found.metadata)

    def _fail(self, live: Live, now: float) -> Move | None:
        if not any(task.unsuccessful for task in self._regular()):
            return None
        applied = any(task.code is ResultCode.SYNC_FAILED for task in self._regular())
        message = self._because(
            "one or more objects failed to apply"
            if applied
            else "one or more synchronization tasks completed unsuccessfully"
        )
        if move := self._delete_hooks(DeletePolicy.FAILED, live):
            return move
        last = [task for task in self.tasks if task.fail_hook]
        if pending := [task for task in last if not task.state]:
            return self._run(pending, live) or Wait(message)
        failed = [task.message for task in last if task.unsuccessful]
        if failed:
            message += f"\none or more SyncFail hooks failed, reason: {', '.join(failed)}"
        return Finished("Failed", message)

    def _succeed(self, live: Live, now: float) -> Move | None:
        if any(True for _ in self._pending()):
            return None
        words = "all tasks run" if self._last_applied else "no more tasks"
        return self._delete_hooks(DeletePolicy.SUCCEEDED, live) or Finished(
            "Succeeded", f"successfully synced ({words})"
        )

    def _advance(self, live: Live, now: float) -> Move | None:
        """Run the first (phase, wave) that is pending; None when that took no request at all."""
        pending = list(self._pending())
        place = pending[0].place
        if place != self._place:
            if wait := self._rest(now):
                return wait
            self._place, self._rest_until = place, None
        step = [task for task in pending if task.place == place]
        held = [task for task in step if task.unconfirmed]
        if held and not self._approved:
            more = f" and {len(held) - 1} more resources" if len(held) > 1 else ""
            how = f"; to confirm it: {self.limits.confirm}" if self.limits.confirm else ""
            return Wait(f"waiting for pruning confirmation of {held[0].words()}{more}{how}")
        move = self._run(step, live)
        rest = [task for task in pending if task.place != place or task.hook]
        self._last_applied = not rest
        return move

    def _rest(self, now: float) -> Wait | None:
        if self._place is None:
            return None
        if self._rest_until is None:
            self._rest_until = now + self.limits.wave_delay_seconds
        left = self._rest_until - now
        return Wait("waiting between two waves", left) if left > 0 else None

    def _run(self, step: Sequence[RunningTask], live: Live) -> Move | None:
        """Prunes, stale hooks away, then groups of one kind; each as soon as the one before is done."""
        if self.limits.adopt:
            step = [task for task in step if not self._adopt(task, live)]
        stale = [task for task in step if self._held(task, live)]
        if move := self._act(Verb.RELEASE, stale, "releasing hooks of an earlier sync"):
            return move
        if move := self._act(Verb.DELETE, self._prunes(step), "pruning"):
            return move
        old = [
            task
            for task in step
            if task.policy(DeletePolicy.BEFORE_CREATION) and task.step.key in live
        ]
        if waited := [task for task in old if task.deleted and task.remains(live)]:
            return self._waiting(waited, deleted=True)
        fresh = [task for task in old if not task.deleted]
        for task in fresh:
            task.deleted = uid(live[task.step.key]) or "unknown"
        if move := self._act(Verb.DELETE, fresh, "deleting hooks of an earlier sync"):
            return move
        return self._apply(step)

    def _adopt(self, task: RunningTask, live: Live) -> bool:
        """Was it made by this operation already? One that runs in several phases says nothing of them."""
        key, desired = task.step.key, task.step.desired
        found = live.get(key)
        once = sum(other.step.key == key for other in self.tasks) == 1
        if not (task.hook and once and found is not None and desired is not None):
            return False
        if task.deleted or not hooks.of_one_operation(found, desired):
            return False
        task.state, task.code, task.answer = RUNNING, ResultCode.SYNCED, found
        task.message = task.applied = "goes on"
        return True

    def _prunes(self, step: Sequence[RunningTask]) -> list[RunningTask]:
        going = []
        for task in step:
            if task.prune and task.step.action is Action.SKIP:
                task.state, task.code = SUCCEEDED, ResultCode.PRUNE_SKIPPED
                task.message = task.step.message
            elif task.prune and not task.state and task.step.live is not None:
                task.deleted = uid(task.step.live)
                going.append(task)
        return going

    def _apply(self, step: Sequence[RunningTask]) -> Move | None:
        sent = []
        for task in step:
            if task.step.action is Action.NOTHING:
                task.state, task.code = RUNNING, ResultCode.SYNCED
                task.message = task.applied = "unchanged"
            elif not task.prune:
                sent.append(task)
        groups = tuple(
            tuple(task.do(Verb.APPLY, self.settings) for task in group)
            for _, group in groupby(sent, key=lambda task: task.step.key.kind)
        )
        return Act(groups, "applying") if groups else None

    def _delete_hooks(self, policy: DeletePolicy, live: Live) -> Move | None:
        tasks = [
            task
            for task in self.tasks
            if task.policy(policy)
            and not task.swept
            and task.state != RUNNING
            and task.current(live) is not None
        ]
        for task in tasks:
            task.swept = True
        return self._act(Verb.DELETE, tasks, f"deleting hooks ({policy})")

    def _ending(self, live: Live) -> Move:
        """Terminated or out of time: release and delete the hooks that run, then end."""
        assert self._stop
        phase, words = self._stop
        mine = [task for task in self.tasks if task.hook and task.code is ResultCode.SYNCED]
        if move := self._act(
            Verb.RELEASE, [task for task in mine if self._held(task, live)], "releasing hooks"
        ):
            return move
        running = [task for task in mine if task.state == RUNNING]
        if move := self._act(Verb.DELETE, running, "deleting running hooks"):
            return move
        if any(task.hook and task.state == ERROR for task in self.tasks):
            return Finished("Error", f"{words}; ending had errors: {self._because('')}")
        return Finished(phase, words)

    def _regular(self) -> Iterable[RunningTask]:
        return (task for task in self.tasks if not task.fail_hook)

    def _pending(self) -> Iterable[RunningTask]:
        lean = "ApplyOutOfSyncOnly" in self.settings.options
        return (
            task
            for task in self._regular()
            if not task.state and not (lean and task.step.action is Action.NOTHING)
        )

    def _waiting(self, tasks: Sequence[RunningTask], *, deleted: bool = False) -> Wait:
        what, more = ("completion of hook", "hooks") if tasks[0].hook else (
            "healthy state of", "resources"
        )  # fmt: skip
        what = "deletion of" if deleted else what
        rest = f" and {len(tasks) - 1} more {more}" if len(tasks) > 1 else ""
        return Wait(f"waiting for {what} {tasks[0].words()}{rest}", LOOK_SECONDS)

    def _because(self, message: str) -> str:
        reasons = dict.fromkeys(
            f"{task.step.key}: {task.message}"
            for task in self._regular()
            if task.state in (FAILED, ERROR)
        )
        return f"{message}, reason: {'; '.join(reasons)}" if reasons else message
