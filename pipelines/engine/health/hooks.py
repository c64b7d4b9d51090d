"""Whether Argo CD would take an object as a hook, which is judged by its end and not by its life."""

from __future__ import annotations

from pipelines.engine.health.look import annotation, field
from pipelines.model.resource import Manifest

FINALIZER = "argocd.argoproj.io/hook-finalizer"
HOOK = "argocd.argoproj.io/hook"
HELM_HOOK = "helm.sh/hook"
KNOWN = frozenset({"PreSync", "Sync", "PostSync", "SyncFail", "Skip"})


def is_hook(manifest: Manifest) -> bool:
    """An Argo annotation hides Helm's; only `Skip` alone makes an ordinary object of it."""
    if annotation(manifest, HOOK) is not None:
        return not is_skipped(manifest)
    helm = annotation(manifest, HELM_HOOK)
    return helm is not None and helm != "crd-install"


def is_skipped(manifest: Manifest) -> bool:
    """Whether the object is kept out of every sync."""
    own = annotation(manifest, HOOK) or ""
    return [word for word in words(own) if word in KNOWN] == ["Skip"]


def has_hook_finalizer(manifest: Manifest) -> bool:
    finalizers = field(manifest, "metadata", "finalizers")
    return isinstance(finalizers, list) and FINALIZER in finalizers


def words(annotation_value: str) -> list[str]:
    """Comma list, trimmed, each once, in its order."""
    return list(dict.fromkeys(word.strip() for word in annotation_value.split(",") if word.strip()))
