"""One task of a running sync: what became of it, what is live of it, how that is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.engine.difference.ignoring import without_ignored
from pipelines.engine.health.assess import assess
from pipelines.engine.sync import hooks, options
from pipelines.engine.sync.moves import Do, Method, TaskId, Verb
from pipelines.engine.sync.steps import CONFIRM
from pipelines.model.live import Health
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import Action, PlanStep, ResultCode, SyncPhase, SyncSettings

PENDING, RUNNING, SUCCEEDED, FAILED, ERROR = "", "Running", "Succeeded", "Failed", "Error"

_HOOK_STATES = {
    Health.HEALTHY: SUCCEEDED,
    Health.PROGRESSING: RUNNING,
    Health.SUSPENDED: RUNNING,
}
_STATES = {Health.HEALTHY: SUCCEEDED, Health.DEGRADED: FAILED}


@dataclass(slots=True)
class RunningTask:
    """`state` is what Argo CD calls the operation state of a task, empty while it is pending."""

    step: PlanStep
    state: str = PENDING
    code: ResultCode | None = None
    message: str = ""
    applied: str = ""  # what was said when it was applied
    answer: Resource | None = None
    seen: bool = False
    gone: bool = False
    released: bool = False
    deleted: str = ""  # uid of what was deleted to make room
    swept: bool = False  # deleted for its policy after the sync
    looked_seconds: float = 0.0

    @property
    def id(self) -> TaskId:
        return TaskId(self.step.key, self.step.phase)

    @property
    def hook(self) -> bool:
        return self.step.action is Action.HOOK

    @property
    def prune(self) -> bool:
        return self.step.desired is None

    @property
    def fail_hook(self) -> bool:
        return self.step.phase is SyncPhase.SYNC_FAIL

    @property
    def completed(self) -> bool:
        return self.state in (SUCCEEDED, FAILED, ERROR)

    @property
    def unsuccessful(self) -> bool:
        return self.state in (FAILED, ERROR)

    @property
    def unconfirmed(self) -> bool:
        return self.prune and self.step.message == CONFIRM

    @property
    def place(self) -> tuple[SyncPhase, int]:
        return self.step.phase, self.step.wave

    def policy(self, policy: hooks.DeletePolicy) -> bool:
        return (
            self.hook
            and self.step.desired is not None
            and policy in hooks.delete_policies(self.step.desired)
        )

    def current(self, live: Mapping[ResourceKey, Resource]) -> Resource | None:
        """The newest that is known: what the cache holds, or what the API server answered since."""
        if self.gone:
            return None
        cached = live.get(self.step.key)
        if self.answer is None:
            return cached
        if cached is not None and not _older(cached, self.answer):
            self.seen = True
            return cached
        return None if cached is None and self.seen else self.answer

    def observe(self, live: Mapping[ResourceKey, Resource]) -> None:
        """Judge a running task by its live object; one that vanished is an error, not a wait."""
        found = self.current(live)
        if found is None:
            self.state, self.message = ERROR, "the live object vanished while it was waited for"
            return
        health = assess(found.manifest)
        if health is None:
            self.state = SUCCEEDED
            return
        states = _HOOK_STATES if self.hook else _STATES
        self.state = states.get(health.status, FAILED if self.hook else RUNNING)
        self.message = health.message or self.applied

    def remains(self, live: Mapping[ResourceKey, Resource]) -> bool:
        """Is what was deleted still there?"""
        found = live.get(self.step.key)
        return not self.gone and found is not None and uid(found) == self.deleted

    def do(self, verb: Verb, settings: SyncSettings) -> Do:
        desired = self.step.desired
        if desired is None or verb not in (Verb.APPLY, Verb.DRY_RUN):
            return Do(verb, self.id, self.step)
        manifest, live = desired.manifest, self.step.live
        if live is not None and not self.hook and "RespectIgnoreDifferences" in settings.options:
            manifest = without_ignored(manifest, live.manifest, settings.ignore)
        missing = options.on(desired, "SkipDryRunOnMissingResource", settings.options)
        return Do(verb, self.id, self.step, self._method(settings), manifest, missing)

    def _method(self, settings: SyncSettings) -> Method:
        desired = self.step.desired
        assert desired is not None
        if not options.on(desired, "Replace", settings.options):
            return Method.APPLY
        if self.step.live is None:
            return Method.CREATE
        if desired.kind in ("Namespace", "CustomResourceDefinition"):
            return Method.UPDATE  # to delete these would delete all that is in them
        forced = options.on(desired, "Force", settings.options)
        return Method.RECREATE if forced else Method.UPDATE

    def words(self) -> str:
        key = self.step.key
        return f"{key.group}/{key.kind}/{key.name}"


def uid(resource: Resource) -> str:
    return str(resource.metadata.get("uid") or "")


def _older(cached: Resource, answer: Resource) -> bool:
    """Resource versions grow; where they are no numbers nothing is known."""
    mine = str(cached.metadata.get("resourceVersion") or "")
    theirs = str(answer.metadata.get("resourceVersion") or "")
    return mine.isdigit() and theirs.isdigit() and int(mine) < int(theirs)
