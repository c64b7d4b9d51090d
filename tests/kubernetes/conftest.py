"""One API server for all tests of a worker; each test gets a namespace of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from pipelines.adapters.kubernetes.client import ApiServer, open_cluster
from tests.cluster.fixtures import argo_cd, base_image, real_cluster, real_namespace
from tests.kubernetes.api_server import ApiServerProcess
from tests.kubernetes.image_fixtures import (
    application_image,
    built_application,
    built_engine,
    database_image,
    docker_host,
    engine_base,
    engine_image,
    second_app_image,
    workshop,
)
from tests.kubernetes.released import released

__all__ = [
    "api_server",
    "application_image",
    "argo_cd",
    "base_image",
    "built_application",
    "built_engine",
    "cluster",
    "database_image",
    "docker_host",
    "engine_base",
    "engine_image",
    "namespace",
    "real_cluster",
    "real_namespace",
    "released",
    "second_app_image",
    "workshop",
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
