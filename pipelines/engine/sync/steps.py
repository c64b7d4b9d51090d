"""One task as a step of a plan: the action, what changes, and in words why."""

from __future__ import annotations

from pipelines.engine.difference.compare import changes
from pipelines.engine.sync import hooks, notes, options
from pipelines.engine.sync.immutable import mark
from pipelines.engine.sync.order import Task
from pipelines.model.resource import Resource
from pipelines.model.sync import Action, FieldChange, PlanStep, SyncSettings

RECREATED = "Replace=true, Force=true: deleted and created anew"
UPDATED = "Replace=true: updated as a whole"
NEEDS_PRUNING = "ignored (requires pruning)"
NO_PRUNE = "ignored (no prune)"
CONFIRM = "waits until pruning is confirmed (Prune=confirm)"


def step_of(task: Task, settings: SyncSettings) -> PlanStep:
    if task.skipped:
        return _step(task, Action.SKIP, task.skipped)
    if task.desired is None:
        assert task.live is not None
        return _step(task, *_prune(task.live, settings))
    if task.hook:
        return _step(task, Action.HOOK, _hook_words(task.desired, task))
    if task.live is None:
        return _step(task, Action.CREATE, "")
    return _compared(task, task.desired, task.live, settings)


def _step(
    task: Task, action: Action, message: str, found: tuple[FieldChange, ...] = ()
) -> PlanStep:
    return PlanStep(
        task.phase, task.wave, action, task.key, task.desired, task.live, found, message
    )


def _prune(live: Resource, settings: SyncSettings) -> tuple[Action, str]:
    if not settings.prune:
        return Action.SKIP, NEEDS_PRUNING
    wish = options.value(live, "Prune", settings.options)
    if wish == "false":
        return Action.SKIP, NO_PRUNE
    if live.annotations.get(notes.HELM_RESOURCE_POLICY) == "keep":
        return Action.SKIP, f"ignored ({notes.HELM_RESOURCE_POLICY}: keep)"
    return Action.PRUNE, CONFIRM if wish == "confirm" else ""


def _hook_words(resource: Resource, task: Task) -> str:
    policies = ", ".join(sorted(hooks.delete_policies(resource)))
    return f"{task.phase} hook, deleted: {policies}"


def _compared(task: Task, desired: Resource, live: Resource, settings: SyncSettings) -> PlanStep:
    if desired.manifest == live.manifest:
        return _step(task, Action.NOTHING, "")
    found = mark(changes(desired.manifest, live.manifest, settings.ignore), live)
    if not found:
        return _step(task, Action.NOTHING, "")
    if options.on(desired, "Replace", settings.options):
        forced = options.on(desired, "Force", settings.options)
        return _step(task, Action.REPLACE, RECREATED if forced else UPDATED, found)
    fixed = [change.path for change in found if change.immutable]
    if not fixed:
        return _step(task, Action.CHANGE, "", found)
    verb = "is" if len(fixed) == 1 else "are"
    words = (
        f"{', '.join(fixed)} {verb} immutable: the API server refuses the change, only a replace "
        f"makes it ({notes.SYNC_OPTIONS}: Replace=true,Force=true deletes and creates the object)"
    )
    return _step(task, Action.CHANGE, words, found)
