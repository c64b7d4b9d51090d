"""Where an API server is and how to log in there: a kubeconfig's context, or the pod's own account.

Certificates, tokens and token files are read here, because a rollback waits for it; what needs a
program or a provider to log in (`exec`, `auth-provider`) goes through the package `kubernetes`.
"""

from __future__ import annotations

import base64
import binascii
import os
import ssl
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.adapters.kubernetes.kubeconfig import Login, chosen
from pipelines.model.errors import BadInput, Unavailable

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_LASTS_SECONDS = 30.0
"""A token file is read again after this long: the kubelet replaces it before it expires."""


@dataclass(frozen=True)
class Connection:
    """`token` is called for each request and may read a file; it is never printed. `server_name` is
    the name in the server's certificate where it is not the one in `url`."""

    url: str
    trust: ssl.SSLContext | None
    token: Callable[[], str]
    namespace: str = ""
    proxy: str = ""
    context: str = ""
    server_name: str = ""

    def __repr__(self) -> str:
        return f"Connection({self.context or 'in-cluster'}, {self.url})"


def connect(context: str = "", kubeconfig: Path | None = None) -> Connection:
    """The context by name; without one the current context of the kubeconfig, or the pod's account
    where there is no kubeconfig. Raises BadInput for what is not there or cannot be read."""
    if not context and kubeconfig is None and in_cluster():
        return own_account()
    return of_login(chosen(context, kubeconfig))


def in_cluster() -> bool:
    return "KUBERNETES_SERVICE_HOST" in os.environ and (ACCOUNT / "token").exists()


def own_account() -> Connection:
    """The service account that the kubelet mounts into a pod."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    place = f"[{host}]" if ":" in host else host
    return Connection(
        url=f"https://{place}:{port}",
        trust=trusting(str(ACCOUNT / "ca.crt"), None, insecure=False),
        token=_from_file(ACCOUNT / "token"),
        namespace=(ACCOUNT / "namespace").read_text().strip(),
    )


def of_login(login: Login) -> Connection:
    """Raises BadInput when the cluster's or user's entries do not fit together."""
    if "exec" in login.user or "auth-provider" in login.user:
        from pipelines.adapters.kubernetes.provider_login import of_provider

        return of_provider(login)
    server = str(login.cluster.get("server") or "")
    if not server.startswith(("https://", "http://")):
        raise BadInput(
            f"context {login.context} in {login.path} names no server: {server!r}",
            hint="kubectl config view --minify",
        )
    return Connection(
        url=server.rstrip("/"),
        trust=_trust_of(login) if server.startswith("https") else None,
        token=_token_of(login),
        namespace=login.namespace,
        proxy=str(login.cluster.get("proxy-url") or ""),
        context=login.context,
        server_name=str(login.cluster.get("tls-server-name") or ""),
    )


def _trust_of(login: Login) -> ssl.SSLContext:
    authority = _bytes_of(login, login.cluster, "certificate-authority")
    certificate = _bytes_of(login, login.user, "client-certificate")
    key = _bytes_of(login, login.user, "client-key")
    insecure = bool(login.cluster.get("insecure-skip-tls-verify"))
    try:
        context = trusting(None, authority, insecure=insecure)
        if certificate and key:
            _present(context, certificate, key)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise BadInput(
            f"certificates of context {login.context} in {login.path} cannot be used: {error}",
            hint="kubectl config view --minify",
        ) from None
    return context


def trusting(file: str | None, data: bytes | None, *, insecure: bool) -> ssl.SSLContext:
    """TLS 1.2 or newer; `insecure` trusts anybody, as the kubeconfig asked for."""
    context = ssl.create_default_context(
        cafile=file, cadata=data.decode() if data is not None else None
    )
    if insecure:
        # The person's own kubeconfig says so, for this cluster alone; kubectl does the same.
        context.check_hostname = False  # nosec tls-verify-off - insecure-skip-tls-verify asks for it
        context.verify_mode = ssl.CERT_NONE  # nosec tls-verify-off - as on the line above
    return context


def _present(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """OpenSSL takes a client's key from a file alone: one of our own, 0600, gone at once."""
    with tempfile.NamedTemporaryFile(prefix="slipway-", suffix=".pem") as file:
        file.write(certificate + b"\n" + key + b"\n")
        file.flush()
        context.load_cert_chain(file.name)


def _bytes_of(login: Login, entry: Mapping[str, Any], name: str) -> bytes | None:
    """`name-data` (base64) wins over the file `name`, which is relative to its kubeconfig."""
    data, file = entry.get(f"{name}-data"), entry.get(name)
    try:
        if data:
            return base64.b64decode(str(data), validate=True)
        return (login.path.parent / str(file)).read_bytes() if file else None
    except (binascii.Error, ValueError):
        raise BadInput(f"{name}-data in {login.path} is not base64") from None
    except OSError as error:
        raise BadInput(f"{name} in {login.path}: {file}: {error.strerror}") from None


def _token_of(login: Login) -> Callable[[], str]:
    if login.user.get("tokenFile"):
        return _from_file(login.path.parent / str(login.user["tokenFile"]))
    if "username" in login.user:
        raise BadInput(f"{login.path}: user and password are gone from Kubernetes since 1.19")
    token = str(login.user.get("token") or "")
    return lambda: token


def _from_file(path: Path) -> Callable[[], str]:
    kept: tuple[str, float] = ("", 0.0)

    def token() -> str:
        nonlocal kept
        now = time.monotonic()
        if not kept[0] or now - kept[1] > TOKEN_LASTS_SECONDS:
            try:
                kept = (path.read_text().strip(), now)
            except OSError as error:
                raise Unavailable(f"token file {path}: {error.strerror}") from None
        return kept[0]

    return token
