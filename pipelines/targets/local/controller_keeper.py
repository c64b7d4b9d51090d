"""The controller of an environment on this machine: kept by the supervisor, outliving it."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from pipelines.targets.local.layout import Layout
from pipelines.targets.local.ports import Processes, ProcessOrder, Supervisor
from pipelines.targets.local.process_orders import base_environment

CONTROLLER = "controller"
PASSED_ON = ("KUBECONFIG", "HELM")
"""Of the shell that starts it: where a cluster is, and by which program charts are rendered."""
CLUSTER_FILE = "kubernetes.json"
"""In the folder of an environment that is on a cluster: its settings, as `slipway up` found them."""


class ControllerKeeper:
    def __init__(self, layout: Layout, supervisor: Supervisor, processes: Processes) -> None:
        self.layout, self.supervisor, self.processes = layout, supervisor, processes
        self.pidfile = layout.pidfile(CONTROLLER)

    def start(self, argv: Sequence[str]) -> None:
        self.supervisor.begin()
        self.supervisor.ready()
        order = ProcessOrder(
            name=CONTROLLER,
            argv=tuple(argv),
            env=base_environment(self.layout) | self._told(),
            cwd="/",
            log=str(self.layout.logs / "controller.log"),
            pidfile=str(self.pidfile),
            bound=False,
        )
        self.supervisor.run(order)

    def _told(self) -> dict[str, str]:
        """Where one environment is on a cluster, the controllers of all must find it: they ask what
        runs there before they promote. Elsewhere nothing of the shell is passed on."""
        if not any(self.layout.installation.state.glob(f"environments/*/{CLUSTER_FILE}")):
            return {}
        told = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        if "KUBECONFIG" not in told and "HOME" in os.environ:
            told["KUBECONFIG"] = os.path.join(os.environ["HOME"], ".kube", "config")
        return told

    def stop(self) -> None:
        for path in self.layout.orders.glob(f"{CONTROLLER}.*.json"):
            path.unlink(missing_ok=True)
        self.processes.signal(self.pidfile, signal.SIGTERM)
        if not self.processes.wait_gone(self.pidfile, 5.0):
            self.processes.signal(self.pidfile, signal.SIGKILL)

    def abandoned(self) -> bool:
        if not any(self.layout.orders.glob(f"{CONTROLLER}.*.json")):
            return False
        pidfiles = (self.layout.supervisor_pidfile, self.pidfile)
        return all(self.processes.alive(pidfile) is None for pidfile in pidfiles)
