"""What the machine of a running sync asks its runtime to do, and what it is told back.

The runtime's loop:

    machine = Machine(plan, Limits(), started_seconds=clock())
    while not isinstance(move := machine.next(live(), clock()), Finished):
        if isinstance(move, Act):
            for group in move.groups:        # one after another, all of them whatever fails
                for do in group: ...         # at the same time
                    machine.report(do, ok=True, message="created", live=answer)
        else:                                # Wait: until something changes, or move.seconds pass
            wait(move.seconds)
    move.phase, move.message, machine.results()

`live` must hold every object that a step of the plan names and that exists. It may be late (a watch
is): what `report` was given as `live` counts until the cache has caught up with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipelines.model.resource import Manifest, ResourceKey
from pipelines.model.sync import PlanStep, SyncPhase


@dataclass(frozen=True, slots=True)
class TaskId:
    """A hook of two phases is two tasks of one object."""

    key: ResourceKey
    phase: SyncPhase


class Verb(StrEnum):
    """What to do with one object.

    DRY_RUN   the same request as `method` says, with dryRun=All; nothing is kept
    APPLY     send `manifest` by `method`; a CustomResourceDefinition counts as done when it is
              Established, or after three seconds (as in Argo CD)
    DELETE    delete the object (a prune or a hook); gone already is fine
    RELEASE   take the finalizer `argocd.argoproj.io/hook-finalizer` off; gone already is fine
    LOOK      read the object from the API server, not from a cache; report `live` (None: gone)
    """

    DRY_RUN = "dry-run"
    APPLY = "apply"
    DELETE = "delete"
    RELEASE = "release"
    LOOK = "look"


class Method(StrEnum):
    """How a manifest is sent.

    APPLY     server-side apply
    CREATE    POST (hooks, and first-time objects under Replace=true)
    UPDATE    PUT with the live object's resourceVersion (Replace=true)
    RECREATE  delete, wait until it is gone, POST (Replace=true with Force=true)
    """

    APPLY = "apply"
    CREATE = "create"
    UPDATE = "update"
    RECREATE = "recreate"


@dataclass(frozen=True, slots=True)
class Do:
    """One request. `manifest` is what to send (None for DELETE, RELEASE, LOOK).

    `tolerate_missing`: in a dry run, a kind the API server does not know yet is no failure.
    """

    verb: Verb
    task: TaskId
    step: PlanStep
    method: Method = Method.APPLY
    manifest: Manifest | None = None
    tolerate_missing: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """Groups one after another, the requests of a group at the same time; report every one."""

    groups: tuple[tuple[Do, ...], ...]
    message: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do until a live object changes, or `seconds` have passed (None: no end known)."""

    message: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """`phase`: Succeeded, Failed, Error or Terminated."""

    phase: str
    message: str


Move = Act | Wait | Finished


@dataclass(frozen=True, slots=True)
class Limits:
    """How a sync is run. Argo CD sleeps two seconds between waves and has no time limit.

    `dry_run`: ask the API server about everything before anything is written.
    `wait_for_health`: what a step made is healthy before the next step begins, and one that is degraded
    fails the sync; hooks are waited for always. `wait_for_last`: wait also for the health (and the prunes)
    of the last step, which Argo CD does only when that step has hooks. What is not waited for is not
    judged either. `adopt`: the operation is taken up after its runtime died: hooks that
    it made (`hooks.marked`) go on, or have ended already. `confirm`: what a person does to confirm
    what `Prune=confirm` holds back, in words.
    """

    operation_seconds: float = 600.0
    wave_delay_seconds: float = 0.0
    dry_run: bool = True
    wait_for_health: bool = True
    wait_for_last: bool = False
    adopt: bool = False
    confirm: str = ""
