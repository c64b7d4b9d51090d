"""What shall be on the cluster for a release: the texts of its charts as objects that we track."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipelines.engine.sync.manifests import read_documents
from pipelines.engine.sync.tracking import tracking_id
from pipelines.model.release import Release
from pipelines.model.resource import Resource
from pipelines.model.slots import Slot
from pipelines.targets.kubernetes.cluster import TRACKING
from pipelines.targets.kubernetes.layout import EDGE, Place

HOOKS = ("argocd.argoproj.io/hook", "helm.sh/hook")


class Texts(Protocol):
    """Documents as the branch holds them, or rendered now."""

    def of_slot(self, slot: Slot, release: Release) -> str: ...

    def of_edge(self, slot: Slot, release: Release) -> str: ...


class ChartManifests:
    """Implements ports.Manifests. Hooks are left out: the engine itself takes their steps."""

    def __init__(self, place: Place, texts: Texts) -> None:
        self.place, self.texts = place, texts

    def slot(self, slot: Slot, release: Release) -> Sequence[Resource]:
        origin = f"slot {slot} of {release.id}"
        return self._ours(self.texts.of_slot(slot, release), origin, self.place.tracked_as(slot))

    def edge(self, release: Release) -> Sequence[Resource]:
        """The slot in its Services' selectors means nothing: the row decides it."""
        text = self.texts.of_edge(Slot.BLUE, release)
        return self._ours(text, f"edge of {release.id}", self.place.tracked_as(EDGE))

    def _ours(self, text: str, origin: str, application: str) -> Sequence[Resource]:
        found = [one for one in read_documents(text, origin) if not is_hook(one)]
        return [in_place(one, self.place.namespace, application) for one in found]


def is_hook(resource: Resource) -> bool:
    return any(name in resource.annotations for name in HOOKS)


def in_place(resource: Resource, namespace: str, application: str) -> Resource:
    """In its namespace, with the tracking id that Argo CD would give it."""
    metadata = {**resource.metadata, "namespace": resource.namespace or namespace}
    placed = Resource({**resource.manifest, "metadata": metadata}, resource.origin)
    identity = tracking_id(application, placed.key, namespace)
    metadata["annotations"] = {**resource.annotations, TRACKING: identity}
    return Resource({**placed.manifest, "metadata": metadata}, resource.origin)
