"""Fixtures for tests that need a whole cluster. Import them in a `conftest.py`.

SLIPWAY_TEST_CLUSTER names the folder of a standing cluster, which is used and left; KUBECONFIG a
cluster of somebody's own. Without either one is made for the session and ended with it.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import argocd, images, lifecycle, standing
from tests.cluster.folder import Folder
from tests.cluster.standing import Standing

RESTRICTED = "pod-security.kubernetes.io/enforce"


@pytest.fixture(scope="session")
def real_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """A cluster with a node, DNS and metrics."""
    named = os.environ.get("SLIPWAY_TEST_CLUSTER")
    if named:
        yield standing.of(Folder(Path(named)))
        return
    folder = Folder(Path("/tmp") / f"slipway-{uuid.uuid4().hex[:8]}")
    try:
        yield standing.up(folder)
    finally:
        lifecycle.down(folder)


@pytest.fixture(scope="session")
def base_image(real_cluster: Standing) -> str:
    """The tag of Debian with Python 3, present on the node."""
    image = images.base_image()
    real_cluster.load(image.archive)
    return image.tag


@pytest.fixture
def real_namespace(real_cluster: Standing) -> Iterator[str]:
    """A fresh one under the restricted Pod Security standard; deleted afterwards, not waited for."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    real_cluster.must("create", "namespace", name)
    real_cluster.must("label", "namespace", name, f"{RESTRICTED}=restricted")
    yield name
    real_cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def argo_cd(real_cluster: Standing) -> Iterator[Folder]:
    """Argo CD as shipped beside the cluster; the folder is what `tests.cluster.argocd` asks for."""
    if real_cluster.folder is None:
        pytest.fail("Argo CD is started beside a cluster made here only: unset KUBECONFIG")
    with argocd.running(real_cluster.folder):
        yield real_cluster.folder
