"""The controller of an environment on a cluster, kept alive by this machine's own supervisor."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.adapters.process import LocalProcesses
from pipelines.adapters.supervisor import CircusSupervisor
from pipelines.targets.local.controller_keeper import ControllerKeeper
from pipelines.targets.local.layout import Layout


class HostKeeper:
    """Implements targets.kubernetes.ports.Keeper. The supervisor runs nothing else here."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.supervisor = layout, CircusSupervisor(layout)
        self.keeper = ControllerKeeper(layout, self.supervisor, LocalProcesses())

    def start(self, argv: Sequence[str]) -> None:
        self.layout.make_folders()
        self.keeper.start(argv)

    def stop(self) -> None:
        self.keeper.stop()
        self.supervisor.stop()

    def abandoned(self) -> bool:
        return self.keeper.abandoned()
