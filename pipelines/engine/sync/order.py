"""In which order tasks run: phase, wave, prunes, kind, name; and what others need comes before them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipelines.engine.sync import kinds, notes, options
from pipelines.model.resource import Manifest, Resource, ResourceKey
from pipelines.model.sync import SyncPhase

PHASES = {phase: number for number, phase in enumerate(SyncPhase)}


@dataclass(slots=True)
class Task:
    """One object in one phase. At least one of `desired` and `live`; no `desired` means prune."""

    phase: SyncPhase
    wave: int
    key: ResourceKey
    desired: Resource | None
    live: Resource | None
    hook: bool = False
    skipped: str = ""

    @property
    def prune(self) -> bool:
        return self.desired is None


def wave_of(resource: Resource) -> int:
    return notes.wave(resource.annotations)


def mirror_prunes(tasks: Iterable[Task]) -> None:
    """What was made last goes first: the waves of prunes swap around their middle."""
    prunes = [task for task in tasks if task.prune]
    waves = sorted({task.wave for task in prunes})
    mirrored = dict(zip(waves, reversed(waves), strict=True))
    for task in prunes:
        task.wave = mirrored[task.wave]


def prune_last(tasks: list[Task], application: frozenset[str]) -> None:
    """`PruneLast`, of the application or on the live object: one wave after the last of Sync."""
    run = (task for task in tasks if task.phase is SyncPhase.SYNC and not task.skipped)
    last = max((task.wave for task in run), default=0)
    for task in tasks:
        if task.live is not None and task.prune and options.on(task.live, "PruneLast", application):
            task.wave = max(last, 0) + 1


def ordered(tasks: Iterable[Task], namespace: str) -> list[Task]:
    """`namespace` is the application's: in it lives whatever names none."""
    found = sorted(tasks, key=_rank)
    _before_users(found, _namespace_made, lambda key: key.namespace or namespace)
    _before_users(found, _kind_made, lambda key: f"{key.group}/{key.kind}")
    return found


def _rank(task: Task) -> tuple[int, int, bool, int, str, str, str, str]:
    key = task.key
    return (
        *(PHASES[task.phase], task.wave, not task.prune, kinds.RANK.get(key.kind, kinds.LAST)),
        *(key.name, key.namespace, key.group, key.kind),
    )


def _namespace_made(task: Task) -> str:
    return task.key.name if (task.key.group, task.key.kind) == ("", "Namespace") else ""


def _kind_made(task: Task) -> str:
    return defined_kind(task.desired.manifest) if task.desired else ""


def defined_kind(manifest: Manifest) -> str:
    """`group/Kind` that a CustomResourceDefinition brings; empty for anything else."""
    if manifest.get("kind") != "CustomResourceDefinition":
        return ""
    spec = manifest.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    kind = names.get("kind") if isinstance(names, dict) else None
    return f"{spec.get('group')}/{kind}" if isinstance(spec, dict) and kind else ""


def _before_users(
    tasks: list[Task], made: Callable[[Task], str], used: Callable[[ResourceKey], str]
) -> None:
    """A maker moves before its first user and takes that user's wave and phase."""
    first: dict[str, int] = {}
    for position, task in enumerate(tasks):
        if task.prune or task.skipped:
            continue
        makes = made(task)
        if not makes:
            needs = used(task.key)
            if needs:
                first.setdefault(needs, position)
        elif (index := first.get(makes)) is not None:
            task.wave, task.phase = tasks[index].wave, tasks[index].phase
            tasks.insert(index, tasks.pop(position))
            first = {name: at + (at >= index) for name, at in first.items()}
