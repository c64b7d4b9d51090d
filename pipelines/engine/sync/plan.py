"""What a sync will do: desired and live objects in, ordered steps out.

The same function plans for a cluster, for files and for a heal; whoever executes a plan executes this
one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from pipelines.engine.sync import hooks, notes, prepare, tracking
from pipelines.engine.sync.manifests import refuse_twins
from pipelines.engine.sync.order import Task, mirror_prunes, ordered, prune_last, wave_of
from pipelines.engine.sync.steps import step_of
from pipelines.model.errors import BadInput, Refused
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import Action, PlanStep, SyncPhase, SyncPlan, SyncSettings

_NOT_OURS = "not part of a sync"


def plan(
    desired: Sequence[Resource],
    live: Mapping[ResourceKey, Resource],
    settings: SyncSettings,
    *,
    only: Collection[ResourceKey] | None = None,
    served: prepare.Scopes | None = None,
) -> SyncPlan:
    """Steps in the order they run; the order of the arguments does not matter.

    `live` holds the application's objects and, where they exist, those that `desired` names; others
    are left alone. `only`: a partial sync of these objects (a heal): hooks do not run, nothing else
    is touched. `served`: which kinds a cluster says live in a namespace. Raises BadInput for a
    manifest that is wrong, Refused for another application's object or when everything would go.
    """
    for resource in desired:
        prepare.check(resource)
    scope = prepare.scopes(desired, served or {})
    for resource in desired:
        prepare.check_scope(resource, scope)
    wanted = [prepare.placed(one, settings, scope, live) for one in desired]
    refuse_twins(wanted)
    tasks = list(_wanted(wanted, live, settings, hooks_run=only is None))
    tasks += _prunes(wanted, live, settings)
    if only is not None:
        tasks = [task for task in tasks if task.key in only]
    tasks += _namespace(tasks, live, settings)
    mirror_prunes(tasks)
    prune_last(tasks, settings.options)
    found = ordered(tasks, settings.namespace)
    _refuse_to_make_twice(found)
    steps = tuple(step_of(task, settings) for task in found)
    _refuse_to_empty(wanted, steps, settings)
    return SyncPlan(steps, settings, (*_ending_namespaces(steps, live), *_warnings(steps)))


def _wanted(
    wanted: Sequence[Resource],
    live: Mapping[ResourceKey, Resource],
    settings: SyncSettings,
    *,
    hooks_run: bool,
) -> Iterator[Task]:
    for resource in wanted:
        if hooks.is_hook(resource):
            if hooks_run:
                yield from _hook(resource, live, settings)
            continue
        found = live.get(resource.key)
        if found is not None:
            tracking.refuse_foreign(found, settings)
        skipped = "hook Skip: left alone" if hooks.is_skipped(resource) else ""
        yield Task(
            SyncPhase.SYNC, wave_of(resource), resource.key, resource, found, skipped=skipped
        )


def _hook(
    resource: Resource, live: Mapping[ResourceKey, Resource], settings: SyncSettings
) -> Iterator[Task]:
    phases = hooks.phases(resource)
    if not phases:
        yield Task(
            SyncPhase.SYNC, wave_of(resource), resource.key, resource, None,
            hook=True, skipped=f"{hooks.kinds_of(resource)} hook: {_NOT_OURS}",
        )  # fmt: skip
    for phase in phases:
        name = hooks.name_of(resource, phase, settings.revision, settings.started_at_unix)
        metadata = {k: v for k, v in resource.metadata.items() if k != "generateName"}
        manifest = {**resource.manifest, "metadata": {**metadata, "name": name}}
        named = Resource(hooks.with_finalizer(manifest), resource.origin)
        yield Task(phase, wave_of(named), named.key, named, live.get(named.key), hook=True)


def _prunes(
    wanted: Sequence[Resource], live: Mapping[ResourceKey, Resource], settings: SyncSettings
) -> Iterator[Task]:
    """What is the application's and no longer desired. Hooks and what a controller made are not."""
    kept = {resource.key for resource in wanted}
    if "CreateNamespace" in settings.options:
        kept.add(ResourceKey("", "Namespace", "", settings.namespace))
    for key, resource in live.items():
        if key in kept or resource.metadata.get("ownerReferences"):
            continue
        if hooks.is_hook(resource) or hooks.is_skipped(resource):
            continue
        if settings.application:
            mine = tracking.is_mine(resource, settings)
        else:
            mine = not resource.annotations.get(notes.TRACKING)
        if mine:
            yield Task(SyncPhase.SYNC, wave_of(resource), key, None, resource)


def _namespace(
    tasks: Sequence[Task], live: Mapping[ResourceKey, Resource], settings: SyncSettings
) -> Iterator[Task]:
    """`CreateNamespace`: a namespace that is neither there nor desired, before everything."""
    key = ResourceKey("", "Namespace", "", settings.namespace)
    if "CreateNamespace" not in settings.options or not settings.namespace or key in live:
        return
    if any(task.key == key for task in tasks) or not any(task.desired for task in tasks):
        return
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": settings.namespace}}
    yield Task(SyncPhase.PRE_SYNC, 0, key, Resource(manifest, "sync option CreateNamespace"), None)


def _refuse_to_make_twice(tasks: Sequence[Task]) -> None:
    """Unnamed hooks have names by now: of one object only one of a phase can be followed."""
    seen: dict[tuple[ResourceKey, SyncPhase], Task] = {}
    for task in tasks:
        if task.skipped:
            continue
        first = seen.setdefault((task.key, task.phase), task)
        if first is not task:
            raise BadInput(
                f"{_origin(task)}: {task.key} is there twice in {task.phase}, "
                f"first in {_origin(first)}",
                hint="give each hook a metadata.name or a metadata.generateName of its own",
            )


def _origin(task: Task) -> str:
    known = task.desired or task.live
    return known.origin if known else ""


def _refuse_to_empty(
    wanted: Sequence[Resource], steps: Sequence[PlanStep], settings: SyncSettings
) -> None:
    """Nothing desired is more often a broken branch than a wish."""
    going = [step for step in steps if step.action is Action.PRUNE]
    if going and not settings.allow_empty and all(hooks.is_hook(one) for one in wanted):
        raise Refused(
            f"nothing is desired: all {len(going)} live objects would be pruned",
            hint="set spec.syncPolicy.automated.allowEmpty: true, or give --allow-empty",
        )


def _ending_namespaces(
    steps: Sequence[PlanStep], live: Mapping[ResourceKey, Resource]
) -> Iterator[str]:
    """In a namespace that is being deleted nothing new can be made."""
    for name in sorted(
        {step.key.namespace for step in steps if step.desired and step.live is None}
    ):
        found = live.get(ResourceKey("", "Namespace", "", name))
        if found is not None and found.metadata.get("deletionTimestamp"):
            yield f"namespace {name} is being deleted: the API server refuses new objects in it"


def _warnings(steps: Sequence[PlanStep]) -> Iterator[str]:
    for step in steps:
        if any(change.immutable for change in step.changes) and step.action is Action.CHANGE:
            yield f"{step.key}: {step.message}"
        elif step.live is not None and step.live.metadata.get("deletionTimestamp"):
            finalizers = ", ".join(step.live.metadata.get("finalizers") or ()) or "none"
            yield (
                f"{step.key}: is being deleted since {step.live.metadata['deletionTimestamp']} "
                f"(finalizers: {finalizers})"
            )
