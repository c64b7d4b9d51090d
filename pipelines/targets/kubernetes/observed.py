"""The target where somebody else (Argo CD) syncs the branch: slots and edge are theirs to write.

What stays ours: the row, the slot in the Services' selectors, and looking.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.model.errors import Unavailable
from pipelines.model.live import Mend
from pipelines.model.release import Release
from pipelines.model.slots import Slot
from pipelines.targets.kubernetes.target import KubernetesTarget


class ObservedTarget(KubernetesTarget):
    def ensure(self, services: Release) -> None:
        """Namespace, schema and services; nothing that the branch holds."""
        self._services_of = services
        self.services.need_namespace()
        self.rows.apply_schema()
        self.services.need_services(services)

    def stage(self, slot: Slot, release: Release) -> None:
        live = self.observe_slot(slot)
        if live.release != release.id:
            raise Unavailable(
                f"slot {slot} of {self.environment} holds {live.release or 'nothing'}, not {release.id}",
                hint="who syncs the branch brings it",
            )

    def stop_slot(self, slot: Slot, *, kill: bool, forget: bool = False) -> None:
        """It stays until the branch says otherwise: who syncs would start it again at once."""

    def slot_drift(self, slot: Slot) -> Sequence[Mend]:
        """Who syncs finds and heals it."""
        return ()
