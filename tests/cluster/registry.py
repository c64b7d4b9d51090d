"""A container registry beside the cluster: machine and node know it by the same name, `localhost:PORT`.

It keeps what it is given in memory. It listens on the machine; a line from the node's own localhost
leads there, and containerd (as Docker) asks a registry at localhost without TLS.
"""

from __future__ import annotations

import urllib.error
import urllib.request

from tests.cluster import needs, node, processes, tools
from tests.cluster.errors import ClusterError
from tests.cluster.folder import Folder

NAME = "registry"
LINES = ("registry-out", "registry-in")
DEBIAN = {"socat": "socat"}
FILE = "registry.json"


def up(folder: Folder) -> str:
    """Start it, unless it runs. Returns what an image's name begins with. Raises Missing, NotReady,
    ClusterError where no cluster stands."""
    needs.demand("a registry", DEBIAN)
    facts = folder.facts()
    if facts is None:
        raise ClusterError(f"no cluster in {folder.path}", "make cluster-up")
    if processes.alive(folder, NAME) is None:
        down(folder)
        program = tools.build("registry") / "registry"
        port = processes.free_port()
        folder.write(FILE, {"port": port})
        processes.start(folder, NAME, [str(program), "--port", str(port)])
        out, into = LINES
        here, there = f"TCP:127.0.0.1:{port}", f"TCP:{facts.host_ip}:{port}"
        processes.start(folder, out, ["socat", _listen(port, facts.host_ip), here])
        inside = [*node.enter(folder), "socat", _listen(port, "127.0.0.1"), there]
        processes.start(folder, into, inside)
    port = int(folder.read(FILE)["port"])
    processes.wait_for("the registry", lambda: _answers(port), 20, folder, NAME)
    return f"localhost:{port}"


def _listen(port: int, address: str) -> str:
    return f"TCP-LISTEN:{port},bind={address},fork,reuseaddr"


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://localhost:{port}/v2/", timeout=5).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


def down(folder: Folder) -> None:
    """End it, and forget what it holds."""
    for name in (*LINES, NAME):
        processes.stop(folder, name)
        processes.forget(folder, name)
    (folder / FILE).unlink(missing_ok=True)
