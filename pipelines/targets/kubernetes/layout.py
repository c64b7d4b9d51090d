"""Names and labels of what an environment is on a cluster, in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.model.errors import BadInput
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.slots import Slot

NAME_LABEL = "app.kubernetes.io/name"
COMPONENT_LABEL = "app.kubernetes.io/component"
SLOT_LABEL = "slipway.dev/slot"
RELEASE_LABEL = "slipway.dev/release"
ENVIRONMENT_LABEL = "slipway.dev/environment"
COMMAND_LABEL = "slipway.dev/command"
EDGE = "edge"
STOPPED = "slipway.dev/stopped"
"""Annotation of a Deployment that was scaled to 0 on purpose; without it, that is drift."""

NOBODY = "none"
"""The slot that a Service selects while no slot shall have traffic: no pod carries it."""

SWITCH_MANAGER = "slipway-switch"
"""Field manager of the selector's slot: nobody else writes it, and no sync touches it."""

HTTP_PORT = 8080
"""Every pod of a slot listens there: live, slot and control in one."""


@dataclass(frozen=True, slots=True)
class Place:
    """One environment on one cluster. `application` is the name of its `slipway.yaml`;
    `tracking` what tracking ids of its objects began with before each part had its own."""

    environment: str
    namespace: str
    application: str
    tracking: tuple[str, ...]

    @property
    def active(self) -> ResourceKey:
        """The Service that users ask."""
        return ResourceKey("", "Service", self.namespace, self.application)

    @property
    def preview(self) -> ResourceKey:
        return ResourceKey("", "Service", self.namespace, f"{self.application}-preview")

    def deployment_of(self, desired: Sequence[Resource], process: str) -> Resource:
        """The Deployment of a process among manifests. Raises BadInput when there is none."""
        for one in desired:
            if one.kind == "Deployment" and process_of(one) == process:
                return one
        raise BadInput(
            f"the manifests of {self.application} for {self.environment} have no Deployment of the"
            f" process {process}",
            hint="charts/: `processes` of the values must name what slipway.yaml names",
        )

    def slot_labels(self, slot: Slot) -> Mapping[str, str]:
        return {NAME_LABEL: self.application, SLOT_LABEL: str(slot)}

    def is_ours(self, application: str) -> bool:
        """Is what this application tracks ours to write? What nobody tracks is."""
        return not application or application in self.applications

    @property
    def applications(self) -> tuple[str, ...]:
        """What tracking ids of its objects may begin with."""
        return (*self.tracking, *(self.tracked_as(part) for part in (*Slot, EDGE)))

    def tracked_as(self, part: str) -> str:
        """What those of a slot or of the edge begin with."""
        return f"{self.application}-{self.environment}-{part}"


def process_of(resource: Resource) -> str:
    return resource.labels.get(COMPONENT_LABEL, "")
