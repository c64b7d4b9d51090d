"""Logging in to a real API server: as a pod does, and by certificates that fit or do not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.adapters.kubernetes import connection
from pipelines.adapters.kubernetes.client import ApiServer, open_cluster
from pipelines.adapters.kubernetes.connection import connect
from pipelines.model.errors import BadInput, Unavailable
from tests.kubernetes.api_server import TOKEN, ApiServerProcess


@pytest.fixture
def account(api_server: ApiServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the kubelet mounts into a pod, with the administrator's token."""
    authority = api_server.folder / "certificates" / "apiserver.crt"
    (tmp_path / "ca.crt").write_bytes(authority.read_bytes())
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "namespace").write_text("shop\n")
    monkeypatch.setattr(connection, "ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(api_server.port))
    return tmp_path


def test_a_pod_logs_in_with_its_own_account(account: Path) -> None:
    cluster = open_cluster()
    assert cluster.namespace == "shop"
    assert ("", "ConfigMap") in cluster.kinds()
    cluster.close()


def test_a_named_context_is_never_replaced_by_the_pods_account(
    account: Path, api_server: ApiServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(api_server.kubeconfig))
    assert connect("slipway-test").context == "slipway-test"
    with pytest.raises(BadInput, match="no context 'production'"):
        connect("production")


def test_a_server_nobody_vouches_for_gets_no_token(
    api_server: ApiServerProcess, tmp_path: Path
) -> None:
    document = json.loads(api_server.kubeconfig.read_text())
    del document["clusters"][0]["cluster"]["certificate-authority"]
    path = tmp_path / "config"
    path.write_text(json.dumps(document))
    with pytest.raises(Unavailable, match="certificate that is not trusted"):
        open_cluster(kubeconfig=path).kinds()


def test_a_server_may_be_trusted_blindly_when_the_kubeconfig_says_so(
    api_server: ApiServerProcess, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    document = json.loads(api_server.kubeconfig.read_text())
    document["clusters"][0]["cluster"] = {
        "server": api_server.url,
        "insecure-skip-tls-verify": True,
    }
    path = tmp_path / "config"
    path.write_text(json.dumps(document))
    cluster = ApiServer(connect(kubeconfig=path))
    assert cluster.kinds()
    cluster.close()
    assert not list(recwarn)


def test_the_name_in_the_certificate_may_be_told_and_is_checked(
    api_server: ApiServerProcess, tmp_path: Path
) -> None:
    document = json.loads(api_server.kubeconfig.read_text())
    cluster = document["clusters"][0]["cluster"]
    path = tmp_path / "config"
    for name, fits in (("kubernetes.default.svc", True), ("example.org", False)):
        cluster["tls-server-name"] = name
        path.write_text(json.dumps(document))
        found = open_cluster(kubeconfig=path)
        if fits:
            assert found.kinds()
        else:
            with pytest.raises(Unavailable, match="not trusted"):
                found.kinds()
        found.close()
