"""A cluster in memory that carries out what the machine asks; jobs and deployments take their time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pipelines.engine.sync import notes
from pipelines.engine.sync.machine import Machine
from pipelines.engine.sync.moves import Act, Do, Finished, Limits, Verb, Wait
from pipelines.engine.sync.plan import plan
from pipelines.model.resource import Manifest, Resource, ResourceKey
from pipelines.model.sync import SyncSettings

READY = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1,
         "readyReplicas": 1}  # fmt: skip
COMPLETE = {"conditions": [{"type": "Complete", "status": "True"}]}
BROKEN = {"conditions": [{"type": "Failed", "status": "True", "message": "it broke"}]}
LATE = {"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded",
                        "status": "False", "message": "too slow"}], "observedGeneration": 1}  # fmt: skip


@dataclass
class Simulation:
    """One second passes with each wait. `becomes`: name → status after `takes` seconds."""

    live: dict[ResourceKey, Resource] = field(default_factory=dict)
    becomes: dict[str, dict[str, Any]] = field(default_factory=dict)
    takes: dict[str, int] = field(default_factory=dict)
    refuses: dict[tuple[str, str], str] = field(default_factory=dict)
    keeps: set[str] = field(default_factory=set)
    now: float = 0.0
    log: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    groups: list[list[str]] = field(default_factory=list)
    _version: int = 100
    _due: dict[ResourceKey, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    machine: Machine | None = None

    def sync(
        self, desired: Iterable[Resource], settings: SyncSettings, limits: Limits | None = None,
        each: Callable[[Simulation], None] = lambda _: None,
    ) -> Finished:  # fmt: skip
        made = plan(list(desired), self.live, settings)
        self.machine = Machine(made, limits or Limits(), started_seconds=self.now)
        for _ in range(500):
            each(self)
            move = self.machine.next(self.live, self.now)
            if isinstance(move, Finished):
                return move
            if isinstance(move, Act):
                self._act(move)
            else:
                self._wait(move)
        raise AssertionError(f"no end: {self.waits[-3:]}")

    def _act(self, move: Act) -> None:
        assert self.machine
        for group in move.groups:
            assert group
            self.groups.append([self._words(do) for do in group])
            for do in group:
                self.log.append(self._words(do))
                words = self.refuses.get((do.verb.value, do.task.key.name))
                if words:
                    self.machine.report(do, ok=False, message=words)
                else:
                    answer = self._carry_out(do)
                    self.machine.report(do, ok=True, message="done", live=answer)

    def _words(self, do: Do) -> str:
        return f"{do.verb} {do.task.key.name}"

    def _wait(self, move: Wait) -> None:
        self.waits.append(move.message)
        self.now += 1
        for key, (at, status) in list(self._due.items()):
            if at <= self.now and key in self.live:
                self._put({**self.live[key].manifest, "status": status})
                del self._due[key]

    def _put(self, manifest: Manifest) -> Resource:
        self._version += 1
        metadata = {
            "uid": f"u{self._version}",
            "generation": 1,
            **manifest["metadata"],
            "resourceVersion": str(self._version),
        }
        found = Resource({**manifest, "metadata": metadata})
        self.live[found.key] = found
        return found

    def _carry_out(self, do: Do) -> Resource | None:
        key = do.task.key
        if do.verb is Verb.APPLY:
            assert do.manifest
            before = self.live.get(key)
            kept = before.metadata if before else {}
            found = self._put({**do.manifest, "metadata": {**kept, **do.manifest["metadata"]}})
            if status := self.becomes.get(key.name):
                self._due[key] = (self.now + self.takes.get(key.name, 1), status)
            return found
        if do.verb is Verb.DELETE and key.name not in self.keeps:
            self.live.pop(key, None)
        if do.verb is Verb.RELEASE and key in self.live:
            old = self.live[key]
            left = [one for one in old.metadata["finalizers"] if one != notes.HOOK_FINALIZER]
            return self._put({**old.manifest, "metadata": {**old.metadata, "finalizers": left}})
        return self.live.get(key)
