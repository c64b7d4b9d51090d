"""What answers of the API server make of a task, and what a sync says about its objects."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.engine.sync.moves import Verb
from pipelines.engine.sync.tasks import ERROR, FAILED, RUNNING, SUCCEEDED, RunningTask
from pipelines.model.resource import Resource
from pipelines.model.sync import Action, ResourceResult, ResultCode


def record(task: RunningTask, verb: Verb, *, ok: bool, message: str, live: Resource | None) -> None:
    """Put one answer into the task."""
    if verb is Verb.APPLY:
        _applied(task, ok=ok, message=message, live=live)
    elif verb is Verb.DELETE:
        _deleted(task, ok=ok, message=message)
    elif verb is Verb.LOOK and ok:
        task.answer, task.gone = live, live is None
    elif verb is Verb.RELEASE and ok:
        task.released, task.answer = True, live or task.answer
    elif verb is Verb.RELEASE:  # once tried is enough, or a refusal would be asked for for ever
        task.released, task.state = True, ERROR
        task.message = f"failed to remove hook finalizer: {message}"
    elif verb is Verb.DRY_RUN and not ok:
        task.state, task.code, task.message = FAILED, ResultCode.SYNC_FAILED, message


def _applied(task: RunningTask, *, ok: bool, message: str, live: Resource | None) -> None:
    task.message = task.applied = message
    task.state = RUNNING if ok else FAILED
    task.code = ResultCode.SYNCED if ok else ResultCode.SYNC_FAILED
    task.answer, task.released, task.gone = live, False, False


def _deleted(task: RunningTask, *, ok: bool, message: str) -> None:
    if task.prune:
        task.state = SUCCEEDED if ok else FAILED
        task.code = ResultCode.PRUNED if ok else ResultCode.SYNC_FAILED
        task.message = "pruned" if ok else message
    elif not ok:
        task.state, task.message = ERROR, f"failed to delete resource: {message}"
    elif task.state == RUNNING:  # terminated
        task.state, task.message = SUCCEEDED, "Deleted"


def results_of(tasks: Iterable[RunningTask], *, ended: bool = False) -> tuple[ResourceResult, ...]:
    """One line for each object that was tried, applied, pruned or left on purpose; of a sync that has
    ended also for what it did not come to."""
    return tuple(
        _result(task) if task.state else _left(task)
        for task in tasks
        if task.state or (ended and _was_to_be_done(task))
    )


def _result(task: RunningTask) -> ResourceResult:
    code, hook_phase = task.code or ResultCode.SYNC_FAILED, task.state if task.hook else ""
    step = task.step
    return ResourceResult(step.key, step.phase, step.wave, code, task.message, hook_phase)


def _left(task: RunningTask) -> ResourceResult:
    step = task.step
    words = step.message if task.unconfirmed else f"{step.action}: the sync ended before it"
    return ResourceResult(step.key, step.phase, step.wave, ResultCode.NOT_APPLIED, words)


def _was_to_be_done(task: RunningTask) -> bool:
    """What is as desired lacks nothing, and what runs after a failure alone need not run."""
    return task.step.action is not Action.NOTHING and not task.fail_hook
