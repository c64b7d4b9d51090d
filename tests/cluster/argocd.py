"""Argo CD itself beside the cluster: its repository server and its controller as plain processes.

One program is every role by its name. It has its namespace, definitions, settings and project on the
cluster, as its own manifests say; no user interface, no login, no notifications. Redis is Debian's.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from tests.cluster import needs, processes, tools
from tests.cluster.addons import kubectl
from tests.cluster.errors import ClusterError, NotReady
from tests.cluster.folder import Folder

NAMESPACE = "argocd"
REDIS, REPOSITORIES, CONTROLLER = (
    "argocd-redis",
    "argocd-repo-server",
    "argocd-application-controller",
)
PARTS = (REDIS, REPOSITORIES, CONTROLLER)
DEBIAN = {"redis-server": "redis-server", "git": "git"}
LIFTED = {
    "ARGOCD_K8S_CLIENT_QPS": "1000",
    "ARGOCD_K8S_CLIENT_BURST": "2000",
    "ARGOCD_SYNC_WAVE_DELAY": "0",
}
"""Settings under which it is not slowed down on purpose. As shipped: 50 requests a second, 2 s a wave."""
PROJECT: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "default", "namespace": NAMESPACE},
    "spec": {
        "sourceRepos": ["*"],
        "destinations": [{"namespace": "*", "server": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    },
}


def up(folder: Folder, settings: Mapping[str, str] | None = None) -> None:
    """Install and start it, unless it runs. `settings`: variables of its processes, such as LIFTED.

    Raises Missing without redis-server or git, ClusterError where the cluster refuses something,
    NotReady when a process does not answer.
    """
    needs.demand("Argo CD", DEBIAN, root=False)
    if folder.facts() is None:
        raise ClusterError(f"no cluster in {folder.path}", "make cluster-up")
    tools.build("argocd")
    tools.build("helm")
    install(folder)
    start(folder, settings or {})


def install(folder: Folder) -> None:
    """Namespace, definitions, settings, project; objects that are there stay."""
    source = tools.argo_module() / "manifests"
    _apply(folder, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for file in sorted((source / "crds").glob("*-crd.yaml")):
        _apply(folder, file.read_text("utf-8"))
    for file in sorted((source / "base" / "config").glob("argocd-*.yaml")):
        _apply(folder, file.read_text("utf-8"))
    key = {"stringData": {"server.secretkey": secrets.token_urlsafe(32)}}
    _must(folder, "patch", "secret", "argocd-secret", f"--patch={json.dumps(key)}")
    words = ("wait", "--for=condition=Established", "crd", "--timeout=30s")
    names = ("applications.argoproj.io", "appprojects.argoproj.io", "applicationsets.argoproj.io")
    _must(folder, *words, *names)
    _apply(folder, PROJECT)


def _apply(folder: Folder, what: str | dict[str, Any]) -> None:
    text = what if isinstance(what, str) else json.dumps(what)
    _must(folder, "apply", "--server-side", "--force-conflicts", "-f", "-", feed=text)


def _must(folder: Folder, *words: str, feed: str | None = None) -> str:
    done = kubectl(folder, f"--namespace={NAMESPACE}", *words, feed=feed)
    if done.returncode:
        raise ClusterError(f"`kubectl {words[0]}` for Argo CD: {done.stderr.strip()[-800:]}")
    return done.stdout


def start(folder: Folder, settings: Mapping[str, str]) -> None:
    """Its three processes. Those that run are left as they are."""
    home = folder / "argocd"
    ports = {**{name: processes.free_port() for name in PARTS}, **folder.read("argocd.json")}
    metrics = [processes.free_port(), processes.free_port()]
    folder.write("argocd.json", ports)
    home.mkdir(exist_ok=True)
    for role in (REPOSITORIES, CONTROLLER):
        link = home / role
        link.unlink(missing_ok=True)
        link.symlink_to(tools.program("argocd"))
    for name, argv in _commands(folder, home, ports, metrics).items():
        if processes.alive(folder, name) is None:
            processes.start(folder, name, argv, **_variables(folder, home, settings))
    for name in (REDIS, REPOSITORIES):
        processes.wait_for(name, lambda name=name: _listens(ports[name]), 30, folder, name)  # type: ignore[misc]


def _commands(
    folder: Folder, home: Path, ports: Mapping[str, int], metrics: list[int]
) -> dict[str, list[str]]:
    redis = f"127.0.0.1:{ports[REDIS]}"
    return {
        REDIS: [
            "redis-server",
            "--bind",
            "127.0.0.1",
            "--port",
            str(ports[REDIS]),
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            str(home),
        ],
        REPOSITORIES: [
            str(home / REPOSITORIES),
            "--address=127.0.0.1",
            f"--port={ports[REPOSITORIES]}",
            f"--metrics-port={metrics[0]}",
            f"--redis={redis}",
            "--disable-tls",
        ],
        CONTROLLER: [
            str(home / CONTROLLER),
            f"--kubeconfig={folder.kubeconfig}",
            f"--namespace={NAMESPACE}",
            f"--redis={redis}",
            f"--repo-server=127.0.0.1:{ports[REPOSITORIES]}",
            "--repo-server-plaintext",
            f"--metrics-port={metrics[1]}",
        ],
    }


def _variables(folder: Folder, home: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Files of its own only; HELM and GIT find no settings of the person who runs this."""
    (home / "tmp").mkdir(exist_ok=True)
    (home / "plugins").mkdir(exist_ok=True)
    return {
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_PLUGINSOCKFILEPATH": str(home / "plugins"),
        "KUBECONFIG": str(folder.kubeconfig),
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "PATH": f"{tools.folder('helm')}:{os.environ['PATH']}",
        **settings,
    }


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def down(folder: Folder, keep_objects: bool = False) -> None:
    """End its processes; take its objects off the cluster unless `keep_objects`.

    Applications that still carry a finalizer lose it, so that nothing waits for a controller.
    """
    for name in reversed(PARTS):
        processes.stop(folder, name)
        processes.forget(folder, name)
    (folder / "argocd.json").unlink(missing_ok=True)
    shutil.rmtree(folder / "argocd", ignore_errors=True)
    if keep_objects or folder.facts() is None:
        return
    for name in kubectl(
        folder, "-n", NAMESPACE, "get", "applications", "-o", "name"
    ).stdout.split():
        free = '{"metadata":{"finalizers":null}}'
        kubectl(folder, "-n", NAMESPACE, "patch", name, "--type=merge", f"--patch={free}")
    kubectl(folder, "delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=30s")
    crds = [
        f"crd/{kind}.argoproj.io" for kind in ("applications", "applicationsets", "appprojects")
    ]
    kubectl(folder, "delete", *crds, "--ignore-not-found", "--timeout=30s")


@contextmanager
def running(folder: Folder, settings: Mapping[str, str] | None = None) -> Iterator[None]:
    """Argo CD for the length of a block; its objects stay for the next one. Left when it ran before."""
    stood = processes.alive(folder, CONTROLLER) is not None
    try:
        up(folder, settings)
        yield
    finally:
        if not stood:
            down(folder, keep_objects=True)


def cpu_seconds(folder: Folder) -> float:
    """Processor time its processes used so far, git and helm that they started included."""
    total = 0.0
    for name in PARTS:
        process = processes.alive(folder, name)
        if process is not None:
            used = process.cpu_times()
            total += used.user + used.system + used.children_user + used.children_system
    return total


def rss_bytes(folder: Folder) -> dict[str, int]:
    """Resident memory of each of its processes."""
    found: dict[str, int] = {}
    for name in PARTS:
        with suppress(psutil.NoSuchProcess):
            process = processes.alive(folder, name)
            if process is not None:
                found[name] = int(process.memory_info().rss)
    return found


def application(folder: Folder, name: str) -> dict[str, Any]:
    """The live Application. Raises ClusterError when there is none."""
    said = _must(folder, "get", "application", name, "-o", "json")
    found: dict[str, Any] = json.loads(said)
    return found


def wait_for(
    folder: Folder, name: str, sync: str = "Synced", health: str = "Healthy", seconds: float = 60.0
) -> dict[str, Any]:
    """Until the Application has that sync and health status. Raises NotReady with its conditions."""
    deadline = time.monotonic() + seconds
    while True:
        status = application(folder, name).get("status", {})
        now = (status.get("sync", {}).get("status"), status.get("health", {}).get("status"))
        if now == (sync, health):
            return dict(status)
        if time.monotonic() > deadline:
            told = status.get("conditions") or status.get("operationState", {}).get("message")
            raise NotReady(f"Application {name} is {now}, not {(sync, health)}: {told}")
        time.sleep(0.2)
