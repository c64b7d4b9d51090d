"""Do branch, row, selector and pods name the same slot and release? Looked at from outside."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any

from tests.cluster.errors import ClusterError
from tests.cluster.standing import Standing
from tests.harness.agreement import Agreement

SLOT = "slipway.dev/slot"


@dataclass(frozen=True)
class ClusterAgreement(Agreement):
    """`live_port` and `slot_ports` mean nothing here: the active Service is asked by its address."""

    cluster: Standing | None = None
    namespace: str = ""

    def version(self, port: int | None = None, timeout: float = 3.0) -> dict[str, Any]:
        """Of the active Service, over a new connection. Raises OSError or ValueError."""
        return ask(self._service()["spec"]["clusterIP"], timeout)

    def _service(self) -> dict[str, Any]:
        assert self.cluster is not None
        try:
            text = self.cluster.must(
                "--namespace", self.namespace, "get", "service", "trading", "--output", "json"
            )
        except ClusterError as problem:
            raise OSError(str(problem)) from problem
        return dict(json.loads(text))

    def _other_slot(self, active: str) -> list[str]:
        """The selector names the active slot, and no pod of the other says that it is live."""
        try:
            selected = self._service()["spec"]["selector"].get(SLOT)
            others = self._addresses("green" if active == "blue" else "blue")
        except OSError as problem:
            return [str(problem)]
        said = [] if selected == active else [f"the selector names {selected}, the row {active}"]
        for address in others:
            try:
                traffic = ask(address, 0.5, 8080)["traffic"]
            except (OSError, ValueError):
                continue
            said += [f"{address} of the other slot says traffic live"] if traffic == "live" else []
        return said

    def _addresses(self, slot: str) -> list[str]:
        assert self.cluster is not None
        chosen = f"{SLOT}={slot},app.kubernetes.io/component=api"
        try:
            text = self.cluster.must(
                *("--namespace", self.namespace, "get", "pods", "--selector", chosen),
                *("--output", "json"),
            )
        except ClusterError as problem:
            raise OSError(str(problem)) from problem
        found = [pod["status"].get("podIP") for pod in json.loads(text)["items"]]
        return [address for address in found if address]


def ask(address: str, timeout: float, port: int = 80) -> dict[str, Any]:
    """`/version` there. Raises OSError or ValueError."""
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        connection.request("GET", "/version")
        return dict(json.loads(connection.getresponse().read()))
    except http.client.HTTPException as problem:
        raise OSError(f"{address}: {type(problem).__name__}: {problem}") from problem
    finally:
        connection.close()
