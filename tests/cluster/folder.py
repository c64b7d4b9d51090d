"""Where a cluster keeps what it writes, and the facts other programs need of it."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.cluster.errors import Missing

DEFAULT = Path("/tmp/slipway-cluster")
LONGEST = 70
"""Bytes of the folder's path: a UNIX socket's whole path may have 107."""
COVERED = ("/run", "/var/run", "/var/lib", "/var/log", "/proc", "/sys", "/dev")
"""Folders the node has its own of."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was chosen when the cluster was made.

    `index` (0 to 63) is what its network addresses and its cgroups are named by.
    """

    index: int
    api_port: int
    etcd_port: int
    etcd_peer_port: int
    controllers_port: int
    scheduler_port: int

    @property
    def host_ip(self) -> str:
        return f"10.95.{self.index}.1"

    @property
    def node_ip(self) -> str:
        return f"10.95.{self.index}.2"

    @property
    def pods(self) -> str:
        return f"10.94.{self.index}.0/24"

    @property
    def gateway_ip(self) -> str:
        """The bridge's own; kubelet asks pods from it."""
        return f"10.94.{self.index}.1"

    @property
    def last_pod_ip(self) -> str:
        return f"10.94.{self.index}.239"

    @property
    def client_ip(self) -> str:
        """On the bridge, and no pod's."""
        return f"10.94.{self.index}.250"

    @property
    def services(self) -> str:
        return f"10.96.{4 * self.index}.0/22"

    def service_ip(self, last: int) -> str:
        return f"10.96.{4 * self.index}.{last}"

    @property
    def link(self) -> str:
        return f"slipway{self.index}"

    @property
    def cgroup(self) -> str:
        return f"slipway-test-{self.index}"

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.api_port}"


class Folder:
    """The folder of one cluster."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        if len(os.fsencode(self.path)) > LONGEST:
            raise Missing(
                f"the folder's path is too long for sockets: {self.path}",
                f"set CLUSTER_DIR to a path of at most {LONGEST} bytes",
            )
        if any(self.path.is_relative_to(covered) for covered in COVERED):
            raise Missing(
                f"the node has folders of its own in place of {', '.join(COVERED)}: {self.path}",
                f"set CLUSTER_DIR to another folder, such as {DEFAULT}",
            )

    @classmethod
    def chosen(cls) -> Folder:
        """The folder CLUSTER_DIR names, or the usual one."""
        return cls(Path(os.environ.get("CLUSTER_DIR") or DEFAULT))

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @property
    def kubeconfig(self) -> Path:
        return self.path / "kubeconfig"

    @property
    def containerd_socket(self) -> Path:
        return self.path / "containerd.sock"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def facts(self) -> Facts | None:
        """None when nothing was made here."""
        found = self.read("cluster.json")
        return Facts(**found) if found else None

    def keep(self, facts: Facts) -> None:
        self.write("cluster.json", asdict(facts))

    def read(self, name: str) -> dict[str, Any]:
        """A JSON mapping; empty when there is no such file."""
        with contextlib.suppress(FileNotFoundError):
            found: dict[str, Any] = json.loads((self.path / name).read_text("utf-8"))
            return found
        return {}

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Whole or not at all."""
        self.path.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.path, prefix=f".{name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
        Path(temporary).replace(self.path / name)
