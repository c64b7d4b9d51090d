"""Hooks: which objects are ones, when they run, when they are deleted, how unnamed ones are called."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pipelines.engine.sync import notes
from pipelines.model.errors import BadInput
from pipelines.model.resource import Manifest, Resource
from pipelines.model.sync import SyncPhase

SKIP = "Skip"
OPERATION = "slipway.dev/operation"
"""Annotation of a hook: which operation made it, where that may be taken up after a restart."""

_PHASES = {phase.value: phase for phase in SyncPhase}
_DELETION = ("PreDelete", "PostDelete")
_HELM_PHASES = {
    "pre-install": SyncPhase.PRE_SYNC,
    "pre-upgrade": SyncPhase.PRE_SYNC,
    "post-install": SyncPhase.POST_SYNC,
    "post-upgrade": SyncPhase.POST_SYNC,
}
_HELM_OTHER = ("test", "test-success", "test-failure", "pre-delete", "post-delete",
               "pre-rollback", "post-rollback")  # fmt: skip
_HELM_NO_HOOK = "crd-install"


class DeletePolicy(StrEnum):
    BEFORE_CREATION = "BeforeHookCreation"
    SUCCEEDED = "HookSucceeded"
    FAILED = "HookFailed"


_HELM_POLICIES = {
    "before-hook-creation": DeletePolicy.BEFORE_CREATION,
    "hook-succeeded": DeletePolicy.SUCCEEDED,
    "hook-failed": DeletePolicy.FAILED,
}


def is_hook(resource: Resource) -> bool:
    """Hooks that are never part of a sync (Helm's `test`) are ones too; a sole `Skip` is none."""
    written = resource.annotations
    if notes.HOOK in written:
        return notes.values(written, notes.HOOK) != (SKIP,)
    helm = notes.values(written, notes.HELM_HOOK)
    return bool(helm) and helm != (_HELM_NO_HOOK,)


def is_skipped(resource: Resource) -> bool:
    return notes.values(resource.annotations, notes.HOOK) == (SKIP,)


def phases(resource: Resource) -> tuple[SyncPhase, ...]:
    """In which phases a hook runs, in order; empty when a sync never runs it."""
    found = {
        _PHASES[text] for text in notes.values(resource.annotations, notes.HOOK) if text in _PHASES
    }
    if notes.HOOK not in resource.annotations:  # Argo CD's annotation hides Helm's
        found = {
            _HELM_PHASES[text]
            for text in notes.values(resource.annotations, notes.HELM_HOOK)
            if text in _HELM_PHASES
        }
    return tuple(phase for phase in SyncPhase if phase in found)


def delete_policies(resource: Resource) -> frozenset[DeletePolicy]:
    """None given means: before the hook is created the next time."""
    written = resource.annotations
    found = {
        DeletePolicy(text)
        for text in notes.values(written, notes.HOOK_DELETE_POLICY)
        if text in set(DeletePolicy)
    } | {
        _HELM_POLICIES[text]
        for text in notes.values(written, notes.HELM_DELETE_POLICY)
        if text in _HELM_POLICIES
    }
    return frozenset(found or {DeletePolicy.BEFORE_CREATION})


def check(resource: Resource) -> None:
    """Raises BadInput for hooks and deletion policies that do not exist."""
    for name, known in (
        (notes.HOOK, (*_PHASES, *_DELETION, SKIP)),
        (notes.HELM_HOOK, (*_HELM_PHASES, *_HELM_OTHER, _HELM_NO_HOOK)),
        (notes.HOOK_DELETE_POLICY, tuple(DeletePolicy)),
        (notes.HELM_DELETE_POLICY, tuple(_HELM_POLICIES)),
    ):
        if name not in resource.annotations:
            continue
        texts = notes.values(resource.annotations, name)
        unknown = [text for text in texts if text not in known]
        if unknown or not texts:
            raise BadInput(
                f"{resource.origin}: annotation {name}: unknown value "
                f"{(unknown or [resource.annotations[name]])[0]!r}",
                hint=f"one or more of: {', '.join(known)}",
            )
    if not resource.name and not is_hook(resource):
        raise BadInput(
            f"{resource.origin}: {resource.kind} has no metadata.name",
            hint="generateName is for hooks only",
        )


def name_of(resource: Resource, phase: SyncPhase, revision: str, started: int) -> str:
    """A hook's own name, or `<generateName><revision>-<phase>-<unix seconds>`."""
    if resource.name:
        return resource.name
    short = revision[:7] if len(revision) >= 8 else revision or "unknown"
    return f"{resource.metadata['generateName']}{f'{short}-{phase}-{started}'.lower()}"


def with_finalizer(manifest: Manifest) -> Manifest:
    """Keeps a finished hook (a Job with a time to live) from vanishing before it was seen."""
    metadata = manifest["metadata"]
    finalizers = metadata.get("finalizers") or []
    if notes.HOOK_FINALIZER in finalizers:
        return manifest
    finalizers = [*finalizers, notes.HOOK_FINALIZER]
    return {**manifest, "metadata": {**metadata, "finalizers": finalizers}}


def marked(resource: Resource, operation: str) -> Resource:
    """The hook with the name of the operation that makes it."""
    annotations = {**resource.annotations, OPERATION: operation}
    metadata = {**resource.metadata, "annotations": annotations}
    return Resource({**resource.manifest, "metadata": metadata}, resource.origin)


def of_one_operation(live: Resource, desired: Resource) -> bool:
    """Was this hook made by the very operation that wants it, and is it there to stay?"""
    mark = desired.annotations.get(OPERATION, "")
    mine = bool(mark) and live.annotations.get(OPERATION) == mark
    return mine and not live.metadata.get("deletionTimestamp")


def has_finalizer(metadata: Mapping[str, object]) -> bool:
    finalizers = metadata.get("finalizers")
    return isinstance(finalizers, list) and notes.HOOK_FINALIZER in finalizers


def kinds_of(resource: Resource) -> str:
    """The hook's values as written."""
    name = notes.HOOK if notes.HOOK in resource.annotations else notes.HELM_HOOK
    return ", ".join(notes.values(resource.annotations, name))
