"""Whether this machine can hold a node, build images and run Argo CD; what exactly is missing."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess

from tests.cluster import argocd, cgroups, docker, needs, tools
from tests.cluster.errors import Missing
from tests.cluster.versions import BY_NAME, DEBIAN

SPACES = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
PRIVILEGED = "in a container: start it with --privileged"
PROBES = (
    ("namespaces of its own", (*SPACES, "true"), PRIVILEGED),
    (
        "a pair of network links",
        ("unshare", "--net", "ip", "link", "add", "slipway-a", "type", "veth"),
        "does the kernel have CONFIG_VETH?",
    ),
    (
        "a network bridge",
        ("unshare", "--net", "ip", "link", "add", "slipway-b", "type", "bridge"),
        "does the kernel have CONFIG_BRIDGE?",
    ),
    (
        "rules for addresses",
        ("unshare", "--net", "iptables", "--wait", "--table", "nat", "--list-rules"),
        "does the kernel have NAT for iptables (nf_tables, or iptable_nat)?",
    ),
)
"""What a node needs, a command that proves it and leaves nothing, and what to look at."""


def for_node() -> None:
    """Raises Missing with what keeps a node from running here, and what to do."""
    needs.demand("a node", DEBIAN)
    for what, command, hint in PROBES:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
            raise Missing(f"a node needs {what}, which this machine refuses: {said}", hint)
    name = f"slipway-probe-{os.getpid()}-{secrets.token_hex(3)}"  # two lanes probe at once
    try:
        cgroups.make(name)
    finally:
        cgroups.remove(name)


def for_everything() -> None:
    """The same for all tests that need Kubernetes, with Go where something is not built yet."""
    for_node()
    needs.demand("building images and Argo CD", {**docker.DEBIAN, **argocd.DEBIAN})
    unbuilt = [part for part in BY_NAME if not tools.built(part)]
    if unbuilt and not (os.environ.get("GO") or shutil.which("go")):
        raise Missing(
            f"Go was not found, and these are not built yet: {', '.join(unbuilt)}",
            "install Go 1.26.4 or newer, or set GO",
        )
