"""Health of objects from files alone: no cluster, no installation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.engine.health.application import application_health
from pipelines.engine.health.assess import assess
from pipelines.flows.manifest_files import read_files
from pipelines.model.live import Health
from pipelines.model.resource import Resource
from pipelines.model.sync import ResourceHealth

BAD = frozenset({Health.DEGRADED, Health.MISSING, Health.UNKNOWN})
NO_CHECK = "no check"


@dataclass(frozen=True, slots=True)
class Assessed:
    """`health` is None for a kind that has no check: there is nothing to be healthy or not."""

    resource: Resource
    health: ResourceHealth | None

    def document(self) -> dict[str, str | None]:
        """`status` is null and `message` empty where there is no check."""
        return {
            "apiVersion": self.resource.api_version,
            "kind": self.resource.kind,
            "namespace": self.resource.namespace,
            "name": self.resource.name,
            "status": self.health.status.value if self.health else None,
            "message": self.health.message if self.health else "",
        }


def offline_health(names: Sequence[str]) -> list[Assessed]:
    """Every object of the files, in the order read. Raises BadInput for what cannot be read.

    One object twice is two answers: dumps of several moments or clusters may be given together.
    """
    return [Assessed(one, assess(one.manifest)) for one in read_files(names, strict=False)]


def altogether(found: Sequence[Assessed]) -> ResourceHealth:
    """As the health of one application whose live objects these are."""
    return application_health((None, one.resource) for one in found)


def counts(found: Sequence[Assessed]) -> dict[str, int]:
    """How many of each state, best first; those without a check last."""
    seen = Counter(one.health.status.value if one.health else NO_CHECK for one in found)
    return {state: seen[state] for state in (*Health, NO_CHECK) if seen[state]}


def anything_bad(found: Sequence[Assessed]) -> bool:
    return any(one.health is not None and one.health.status in BAD for one in found)
