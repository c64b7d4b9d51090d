"""A bare Kubernetes API server: etcd and kube-apiserver on free ports, no controllers, no nodes.

Enough for everything that only reads and writes objects; starts in about five seconds. The programs
are looked for in `SLIPWAY_KUBERNETES_BIN`, then where the test cluster's tools are built, then on PATH.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster import tools

TOKEN = "test-token-of-the-administrator"
START_SECONDS = 60
STARTED = (
    "/api/v1/namespaces/default",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin",
)
"""What a new API server makes last."""


def program(name: str) -> str | None:
    folder = os.environ.get("SLIPWAY_KUBERNETES_BIN")
    if folder and (Path(folder) / name).exists():
        return str(Path(folder) / name)
    with contextlib.suppress(KeyError):
        if (built := tools.program(name)).exists():
            return str(built)
    built = tools.program(name)
    return str(built) if built.exists() else shutil.which(name)


def missing_programs() -> list[str]:
    return [name for name in ("etcd", "kube-apiserver") if program(name) is None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class ApiServerProcess:
    """Both processes, and who may log in. `users` are token → user name (no rights of their own)."""

    folder: Path
    users: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    port: int = 0
    etcd: subprocess.Popen[bytes] | None = None
    server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        client, peer = free_port(), free_port()
        self._write_secrets()
        self.write_kubeconfig(self.kubeconfig, TOKEN)
        self.etcd = self._run(
            "etcd",
            f"--data-dir={self.folder}/etcd",
            "--unsafe-no-fsync",
            f"--listen-client-urls=http://127.0.0.1:{client}",
            f"--advertise-client-urls=http://127.0.0.1:{client}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
        )
        self.etcd_url = f"http://127.0.0.1:{client}"
        self.start_server()

    def start_server(self) -> None:
        self.server = self._run(
            "kube-apiserver",
            f"--etcd-servers={self.etcd_url}",
            f"--cert-dir={self.folder}/certificates",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged=true",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--service-account-key-file={self.folder}/account.key",
            f"--service-account-signing-key-file={self.folder}/account.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={self.folder}/tokens.csv",
            "--disable-admission-plugins=ServiceAccount",
            *self.arguments,
        )
        self._wait()

    def stop_server(self, number: int = signal.SIGKILL) -> None:
        _end(self.server, number)
        self.server = None

    def stop(self) -> None:
        self.stop_server()
        _end(self.etcd, signal.SIGKILL)
        self.etcd = None

    def write_kubeconfig(self, path: Path, token: str, context: str = "slipway-test") -> Path:
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [
                {
                    "name": "here",
                    "cluster": {
                        "server": self.url,
                        "certificate-authority": str(self.folder / "certificates/apiserver.crt"),
                    },
                }
            ],
            "users": [{"name": "somebody", "user": {"token": token}}],
            "contexts": [{"name": context, "context": {"cluster": "here", "user": "somebody"}}],
        }
        path.write_text(json.dumps(document))
        path.chmod(0o600)
        return path

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Straight to the server, past everything that is under test."""
        kind = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": kind},
        )
        try:
            with urllib.request.urlopen(request, context=_trusting(), timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    def _write_secrets(self) -> None:
        from cryptography.hazmat.primitives import serialization as forms
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            forms.Encoding.PEM, forms.PrivateFormat.TraditionalOpenSSL, forms.NoEncryption()
        )
        (self.folder / "account.key").write_bytes(pem)
        lines = [f'{TOKEN},admin,admin,"system:masters"']
        lines += [f"{token},{user},{user}" for token, user in self.users.items()]
        (self.folder / "tokens.csv").write_text("\n".join(lines) + "\n")

    def _run(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        path = program(name)
        if path is None:
            raise RuntimeError(f"{name} is not here; set SLIPWAY_KUBERNETES_BIN")
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [path, *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.server is None or self.server.poll() is not None:
                break
            try:
                if all(self.request("GET", path)[0] == 200 for path in STARTED):
                    return
            except (OSError, ValueError):
                pass
            time.sleep(0.1)
        raise RuntimeError(f"kube-apiserver did not start; see {self.folder}/kube-apiserver.log")


def _end(process: subprocess.Popen[bytes] | None, number: int) -> None:
    if process is not None and process.poll() is None:
        process.send_signal(number)
        process.wait(30)


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
