"""Where clients are: on the node's bridge with an address of their own, like pods of an ingress.

Requests from the machine reach pods by the node's own address, which kubelet's probes have too. Their
closed connections are still known to a pod, so now and then one of ours has the port of one of those,
with a clock of its own, and the kernel refuses it (`TcpExtPAWSTimewait` in the pod). No user is there.
"""

from __future__ import annotations

import contextlib
import ctypes
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.cluster import node
from tests.cluster.errors import ClusterError
from tests.cluster.folder import Folder
from tests.cluster.standing import Standing

CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def of(cluster: Standing) -> Iterator[int | None]:
    """The process that holds the place, for `enter`; None on a cluster that was not made here."""
    if cluster.folder is None:
        yield None
        return
    holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    try:
        _connect(cluster.folder, holder.pid)
        yield holder.pid
    finally:
        holder.kill()  # the namespace and both ends of its cable go with it
        holder.wait()


def enter(place: int | None) -> None:
    """From now on sockets of the calling thread are made there."""
    if place is None:
        return
    with Path(f"/proc/{place}/ns/net").open() as space:
        if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def _connect(folder: Folder, client: int) -> None:
    facts, inside = folder.facts(), node.first_process(folder)
    assert facts is not None
    _until_apart(client)
    ours, theirs = f"sw{client % 10**8}a", f"sw{client % 10**8}b"
    _run("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs)
    _run("ip", "link", "set", theirs, "netns", str(inside))
    _run("ip", "link", "set", ours, "netns", str(client))
    on_node = node.enter(folder)
    _run(*on_node, "ip", "link", "set", theirs, "master", "cni0")
    _run(*on_node, "ip", "link", "set", theirs, "up")
    there = ("nsenter", "-t", str(client), "-n", "ip")
    _run(*there, "address", "add", f"{facts.client_ip}/24", "dev", ours)
    _run(*there, "link", "set", ours, "up")
    _run(*there, "route", "add", "default", "via", facts.gateway_ip)


def _until_apart(client: int) -> None:
    """Until unshare has made the namespace."""
    own, deadline = Path("/proc/self/ns/net").readlink(), time.monotonic() + 5
    while Path(f"/proc/{client}/ns/net").readlink() == own:
        if time.monotonic() > deadline:
            raise ClusterError("no network namespace within 5 s", "look whether root runs this")
        time.sleep(0.01)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, text=True)
