"""The target as a hook in the cluster sees it: it looks, runs commands in pods and turns Services.
What an init container asked the application before is in files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from pipelines.model.errors import Refused, Unavailable
from pipelines.model.live import MigrationStatus, ProbeSamples
from pipelines.model.release import Release
from pipelines.model.resource import Resource
from pipelines.model.slots import Slot
from pipelines.model.sync import PlanStep
from pipelines.targets.answers import migration_status_of
from pipelines.targets.kubernetes.hook_files import HookFiles
from pipelines.targets.kubernetes.layout import Place
from pipelines.targets.kubernetes.observed import ObservedTarget
from pipelines.targets.kubernetes.ports import KubernetesAdapters, Stock
from pipelines.targets.kubernetes.traffic import Traffic
from pipelines.targets.local.target import PROBE_PATH


class InsideTraffic(Traffic):
    def reachable(self) -> bool:
        """A pod reaches Services; it need not be allowed to look at one that is not ours."""
        return True


class InsideTarget(ObservedTarget):
    def __init__(
        self, place: Place, stock: Stock, adapters: KubernetesAdapters, files: HookFiles
    ) -> None:
        super().__init__(place, stock, adapters)
        self.road = InsideTraffic(place, self.cluster, adapters.http)
        self.files = files

    def ensure(self, services: Release) -> None:
        """Database and services are not a release's."""

    def migration_status(self, release: Release) -> MigrationStatus:
        """As the application said it in this pod. Raises Unavailable."""
        if not release.application.offers("migrate"):
            return MigrationStatus((), (), (), ())
        found = self.files.answered("after") or self.files.answered("status")
        if found is None:
            raise Unavailable("the application's container did not say its migrations")
        return migration_status_of(found)

    def probe(self, slot: Slot | None, *, count: int, per_second: float) -> ProbeSamples:
        if slot is None:  # by name, so that it works without asking the API server
            address = f"tcp:{self.place.active.name}:80"
            return self.adapters.http.probe(address, PROBE_PATH, count, per_second)
        return super().probe(slot, count=count, per_second=per_second)


class NoManifests:
    """Implements ports.Manifests and ports.Syncer: a hook applies nothing."""

    def slot(self, slot: Slot, release: Release) -> Sequence[Resource]:
        _refuse(f"{release.id} has no running pod in {slot} in which a command could be asked")

    def edge(self, release: Release) -> Sequence[Resource]:
        _refuse("a hook does not look at the edge")

    def plan(self, part: str, desired: Sequence[Resource]) -> Sequence[PlanStep]:
        _refuse("a hook plans nothing")

    def sync(self, part: str, desired: Sequence[Resource]) -> None:
        _refuse("a hook applies nothing")


def _refuse(words: str) -> NoReturn:
    raise Refused(words, hint="who syncs the branch brings what a slot runs")
