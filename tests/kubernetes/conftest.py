"""One API server for all tests of a worker; each test gets a namespace of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from pipelines.adapters.kubernetes.client import ApiServer, open_cluster
from tests.cluster.fixtures import argo_cd, base_image, real_cluster, real_namespace
from tests.kubernetes.api_server import ApiServerProcess
from tests.kubernetes.released import released

__all__ = [
    "api_server",
    "argo_cd",
    "base_image",
    "cluster",
    "namespace",
    "real_cluster",
    "real_namespace",
    "released",
]

WEAK = {"token-of-weak": "weak"}
"""A user without any rights, until a test gives some."""

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServerProcess]:
    server = ApiServerProcess(tmp_path_factory.mktemp("api"), users=WEAK)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def cluster(api_server: ApiServerProcess) -> Iterator[ApiServer]:
    found = open_cluster(kubeconfig=api_server.kubeconfig)
    yield found
    found.close()


@pytest.fixture
def namespace(api_server: ApiServerProcess) -> str:
    """Left behind: without controllers a namespace never goes away."""
    name = f"test-{next(_numbers)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    status, answer = api_server.request("POST", "/api/v1/namespaces", body)
    assert status == 201, answer
    return name
