"""What the API server can be asked about before anything is written."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.engine.sync.order import defined_kind
from pipelines.engine.sync.tasks import RunningTask
from pipelines.model.sync import Action, SyncSettings

_SENT = (Action.CREATE, Action.CHANGE, Action.REPLACE, Action.HOOK)


def worth_trying(tasks: Sequence[RunningTask], settings: SyncSettings) -> list[RunningTask]:
    """Everything that will be sent, without what must fail now and need not later.

    Left out: objects whose kind or namespace comes with this very sync, and hooks whose former run
    is still there (it is deleted before they are made).
    """
    made = [task for task in tasks if task.step.action is Action.CREATE]
    kinds = {defined_kind(task.step.desired.manifest) for task in made if task.step.desired}
    namespaces = {
        task.step.key.name
        for task in made
        if (task.step.key.group, task.step.key.kind) == ("", "Namespace") and not task.state
    }
    return [
        task
        for task in tasks
        if task.step.action in _SENT
        and not task.state
        and f"{task.step.key.group}/{task.step.key.kind}" not in kinds
        and task.step.key.namespace not in namespaces
        and not (task.hook and task.step.live is not None)
    ]
