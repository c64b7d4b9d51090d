"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler: plain processes on the host."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from tests.cluster import node, processes, tools
from tests.cluster.certificates import Authority
from tests.cluster.folder import Facts, Folder

CONTEXT = "slipway-test"
USERS = {
    "admin": ("slipway-test-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "proxy": ("system:kube-proxy", ""),
    "kubelet-client": (f"system:node:{node.NAME}", "system:nodes"),
    "front-proxy": ("front-proxy-client", ""),
}


def prepare(folder: Folder, facts: Facts) -> None:
    """Certificates and one kubeconfig per user; the person's own is `kubeconfig`."""
    authority = Authority(folder / "pki")
    for file, (common, organisation) in USERS.items():
        authority.sign(file, common, organisation)
    inside = "kubernetes.default.svc"
    names = ("localhost", "kubernetes", "kubernetes.default", inside, f"{inside}.cluster.local")
    addresses = ("127.0.0.1", facts.host_ip, facts.service_ip(1))
    authority.sign("apiserver", "kube-apiserver", names=(*names, *addresses))
    authority.sign("kubelet", node.NAME, names=(node.NAME, facts.node_ip))
    authority.pair("service-account")
    for file, user in {
        "kubeconfig": "admin",
        "controller-manager.kubeconfig": "controller-manager",
        "scheduler.kubeconfig": "scheduler",
    }.items():
        _kubeconfig(folder, file, user, facts.server)
    on_node = f"https://{facts.host_ip}:{facts.api_port}"
    _kubeconfig(folder, "kubelet.kubeconfig", "kubelet-client", on_node)
    _kubeconfig(folder, "proxy.kubeconfig", "proxy", on_node)


def _kubeconfig(folder: Folder, file: str, user: str, server: str) -> None:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": user}}],
        "clusters": [
            {
                "name": CONTEXT,
                "cluster": {"server": server, "certificate-authority": _pki(folder, "ca")},
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate": _pki(folder, user),
                    "client-key": str(folder / f"pki/{user}.key"),
                },
            }
        ],
    }
    target = folder / file
    target.write_text(json.dumps(content, indent=1), "utf-8")
    target.chmod(0o600)


def _pki(folder: Folder, name: str) -> str:
    return str(folder / f"pki/{name}.crt")


def start_etcd(folder: Folder, facts: Facts) -> None:
    """Writes are not forced to the disk: what a crash of the machine loses is thrown away anyway."""
    client, peer = (f"http://127.0.0.1:{port}" for port in (facts.etcd_port, facts.etcd_peer_port))
    argv = [
        str(tools.program("etcd")),
        f"--data-dir={folder / 'etcd'}",
        "--unsafe-no-fsync",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--quota-backend-bytes=4294967296",
        "--log-level=warn",
    ]
    processes.start(folder, "etcd", argv)


def start_api(folder: Folder, facts: Facts) -> None:
    """Returns at once; `answers` says when it is ready."""
    argv = [
        str(tools.program("kube-apiserver")),
        "--bind-address=0.0.0.0",
        f"--secure-port={facts.api_port}",
        f"--advertise-address={facts.host_ip}",
        f"--etcd-servers=http://127.0.0.1:{facts.etcd_port}",
        f"--cert-dir={folder / 'pki'}",
        f"--tls-cert-file={_pki(folder, 'apiserver')}",
        f"--tls-private-key-file={folder / 'pki/apiserver.key'}",
        f"--client-ca-file={_pki(folder, 'ca')}",
        f"--kubelet-client-certificate={_pki(folder, 'admin')}",
        f"--kubelet-client-key={folder / 'pki/admin.key'}",
        f"--kubelet-certificate-authority={_pki(folder, 'ca')}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-key-file={folder / 'pki/service-account.pub'}",
        f"--service-account-signing-key-file={folder / 'pki/service-account.key'}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--service-cluster-ip-range={facts.services}",
        f"--requestheader-client-ca-file={_pki(folder, 'ca')}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={_pki(folder, 'front-proxy')}",
        f"--proxy-client-key-file={folder / 'pki/front-proxy.key'}",
        # The server is no pod: it reaches aggregated APIs and webhooks by their pods' addresses.
        "--enable-aggregator-routing=true",
    ]
    processes.start(folder, "kube-apiserver", argv)


def answers(folder: Folder, facts: Facts, seconds: float = 60.0) -> None:
    """Until the API server says it is ready."""
    context = ssl.create_default_context(cafile=_pki(folder, "ca"))
    context.load_cert_chain(_pki(folder, "admin"), str(folder / "pki/admin.key"))

    def ready() -> bool:
        try:
            with urllib.request.urlopen(
                f"{facts.server}/readyz", timeout=2, context=context
            ) as said:
                return bool(said.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    processes.wait_for("the API server", ready, seconds, folder, "kube-apiserver")


def start_controllers(folder: Folder, facts: Facts) -> None:
    """The autoscaler looks every 5 s and takes the figures of pods 10 s old, not 5 minutes old."""
    config = folder / "controller-manager.kubeconfig"
    argv = [
        str(tools.program("kube-controller-manager")),
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--bind-address=127.0.0.1",
        f"--secure-port={facts.controllers_port}",
        "--leader-elect=false",
        f"--cert-dir={folder / 'pki/controller-manager'}",
        f"--root-ca-file={_pki(folder, 'ca')}",
        f"--cluster-signing-cert-file={_pki(folder, 'ca')}",
        f"--cluster-signing-key-file={folder / 'pki/ca.key'}",
        f"--service-account-private-key-file={folder / 'pki/service-account.key'}",
        "--use-service-account-credentials=true",
        "--horizontal-pod-autoscaler-sync-period=5s",
        "--horizontal-pod-autoscaler-cpu-initialization-period=10s",
        "--horizontal-pod-autoscaler-initial-readiness-delay=5s",
    ]
    processes.start(folder, "kube-controller-manager", argv)


def start_scheduler(folder: Folder, facts: Facts) -> None:
    config = folder / "scheduler.kubeconfig"
    argv = [
        str(tools.program("kube-scheduler")),
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--bind-address=127.0.0.1",
        f"--secure-port={facts.scheduler_port}",
        f"--cert-dir={folder / 'pki/scheduler'}",
        "--leader-elect=false",
        # On a busy machine it may miss that a claim was bound, and would look again after 5 minutes.
        "--pod-max-in-unschedulable-pods-duration=10s",
    ]
    processes.start(folder, "kube-scheduler", argv)


def made(folder: Folder) -> bool:
    return Path(folder / "pki/ca.crt").exists()
