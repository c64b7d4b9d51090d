"""The controller of an environment on a cluster, kept alive by this machine's own supervisor."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pipelines.adapters.process import LocalProcesses
from pipelines.adapters.supervisor import CircusSupervisor
from pipelines.targets.local.controller_keeper import PASSED_ON, ControllerKeeper
from pipelines.targets.local.layout import Layout


class HostKeeper:
    """Implements targets.kubernetes.ports.Keeper. The supervisor runs nothing else here."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.supervisor = layout, CircusSupervisor(layout)
        self.keeper = ControllerKeeper(layout, self.supervisor, LocalProcesses())

    def start(self, argv: Sequence[str]) -> None:
        self.layout.make_folders()
        told = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        if "KUBECONFIG" not in told and "HOME" in os.environ:
            told["KUBECONFIG"] = os.path.join(os.environ["HOME"], ".kube", "config")
        self.keeper.start(argv, told)

    def stop(self) -> None:
        self.keeper.stop()
        self.supervisor.stop()

    def abandoned(self) -> bool:
        return self.keeper.abandoned()
