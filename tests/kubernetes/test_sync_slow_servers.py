"""Syncs with an API server that throttles, and with one whose database is frozen."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from pipelines.adapters.kubernetes.client import ApiServer
from pipelines.adapters.kubernetes.connection import connect
from pipelines.engine.sync.moves import Limits
from pipelines.model.errors import Unavailable
from tests.kubernetes.api_server import ApiServerProcess
from tests.kubernetes.syncing import codes, config_map, messages, settings, soon, syncer

THROTTLES = (
    "--enable-priority-and-fairness=false",
    "--max-requests-inflight=8",
    "--max-mutating-requests-inflight=1",
)


@pytest.fixture(scope="module")
def slow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServerProcess]:
    """Administrators are never throttled, so the tests come as somebody else."""
    folder = tmp_path_factory.mktemp("slow")
    server = ApiServerProcess(folder, users={"token-of-busy": "busy"}, arguments=THROTTLES)
    api = "rbac.authorization.k8s.io"
    binding = {
        "apiVersion": f"{api}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "busy"},
        "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "name": "busy", "apiGroup": api}],
    }
    try:
        server.start()
        assert server.request("POST", f"/apis/{api}/v1/clusterrolebindings", binding)[0] == 201
        yield server
    finally:
        server.stop()


@pytest.fixture
def slow(slow_server: ApiServerProcess) -> Iterator[ApiServer]:
    path = slow_server.write_kubeconfig(slow_server.folder / "busy", "token-of-busy")
    found = ApiServer(connect(kubeconfig=path), seconds=2.0)
    yield found
    found.close()


def test_a_server_that_throttles_gets_everything_in_the_end(slow: ApiServer) -> None:
    desired = [config_map(f"values-{number}", a="1") for number in range(120)]
    with syncer(slow, settings("throttled", "CreateNamespace")) as sync:
        outcome = sync.sync(desired)
        assert outcome.phase == "Succeeded", outcome.message
        assert sync.diff(desired) == ()
    metrics = slow.transport.request("GET", "/metrics", doing="read metrics", accept="*/*")
    refused = [line for line in metrics.decode().splitlines() if 'code="429"' in line]
    assert refused, "nothing was throttled, so nothing was tested"


def test_a_frozen_database_ends_a_sync_in_time_and_the_next_one_converges(
    slow_server: ApiServerProcess, slow: ApiServer
) -> None:
    before = [config_map(f"values-{number}", a="1") for number in range(120)]
    after = [config_map(f"values-{number}", a="2") for number in range(120)]
    with syncer(slow, settings("frozen", "CreateNamespace")) as sync:
        assert sync.sync(before).phase == "Succeeded"
        assert slow_server.etcd is not None
        slow_server.etcd.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        try:
            outcome = sync.sync(after, limits=Limits(operation_seconds=20))
        finally:
            slow_server.etcd.send_signal(signal.SIGCONT)
        assert time.monotonic() - started < 25
        assert outcome.phase in ("Failed", "Error")
        assert set(codes(outcome).values()) == {"SyncFailed"}
        told = set(messages(outcome).values())
        assert any("did not answer" in message for message in told), told

        def converges() -> bool:
            try:
                return sync.sync(after).phase == "Succeeded"
            except Unavailable:
                return False

        assert soon(converges, 60)
        assert sync.diff(after) == ()
