"""A Docker Engine of one's own, for building images where none runs.

Its data, socket and mounts are its own; it makes no bridge and no iptables rules, so a build has no
network unless it is given the host's. Debian's engine (20.10) has the classic builder: DOCKER_BUILDKIT=0
where the client has no buildx.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.cluster import cgroups, layers, needs, processes
from tests.cluster.folder import Folder

NAME = "docker"
CGROUP = "slipway-docker"
DEBIAN = {
    "dockerd": "docker.io",
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
}

SCRIPT = """
set -e
mount -t tmpfs -o mode=755 tmpfs /run
dockerd --data-root "$0/docker" --exec-root /run/docker --pidfile /run/docker.pid \
    --host "unix://$0/docker.sock" --cgroup-parent /slipway-docker --storage-driver $1 \
    --bridge none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false &
while kill -0 $! 2>/dev/null; do wait $! || true; done
"""


def host(folder: Folder) -> str:
    """The value of DOCKER_HOST."""
    return f"unix://{folder / 'docker.sock'}"


def up(folder: Folder) -> str:
    """Start it, unless it runs. Returns DOCKER_HOST. Raises Missing, NotReady."""
    needs.demand("a Docker Engine", DEBIAN)
    if processes.alive(folder, NAME) is None:
        folder.path.mkdir(parents=True, exist_ok=True)
        (folder / "docker.sock").unlink(missing_ok=True)
        spaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        private = ["--propagation", "private"]
        command = ["unshare", *spaces, *private, "bash", "-c", SCRIPT, str(folder.path)]
        command.append(layers.of_docker(folder.path))
        processes.start(folder, NAME, command)
    processes.wait_for("the Docker Engine", lambda: _answers(folder), 30, folder, NAME)
    return host(folder)


def _answers(folder: Folder) -> bool:
    if not (folder / "docker.sock").exists():
        return False
    asked = ["docker", "--host", host(folder), "version", "--format", "{{.Server.Version}}"]
    with suppress(FileNotFoundError):
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0
    return True


def down(folder: Folder) -> None:
    """End it with its containers and mounts, and remove its data."""
    processes.stop(folder, NAME, patience_seconds=0.0)
    processes.forget(folder, NAME)
    cgroups.remove(CGROUP, patience_seconds=2.0)
    shutil.rmtree(folder / "docker", ignore_errors=True)
    (folder / "docker.sock").unlink(missing_ok=True)


@contextmanager
def engine(folder: Folder) -> Iterator[str]:
    """DOCKER_HOST of an engine that ends with the block, unless it ran before."""
    standing = processes.alive(folder, NAME) is not None
    try:
        yield up(folder)
    finally:
        if not standing:
            down(folder)
