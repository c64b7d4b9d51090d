"""Every target passes the same suite: this machine, or with SLIPWAY_SUITE_TARGET=kubernetes the
cluster that KUBECONFIG names. What only one target has is marked so and left out for the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.model.release import Release
from pipelines.model.slots import Slot
from tests.cluster.fixtures import base_image, real_cluster
from tests.target_suite.hands import Hands, LocalHands
from tests.target_suite.local import EchoReleases, running_target

__all__ = ["base_image", "real_cluster"]

KUBERNETES = os.environ.get("SLIPWAY_SUITE_TARGET", "local") == "kubernetes"
System = tuple[Any, EchoReleases, Hands]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Only tests of this folder carry these marks."""
    out = "local_only" if KUBERNETES else "cluster_only"
    left = [item for item in items if item.get_closest_marker(out)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


@pytest.fixture(scope="module")
def system(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("target")
    if KUBERNETES:
        from tests.target_suite.cluster import running_cluster_target

        standing = request.getfixturevalue("real_cluster")
        image = request.getfixturevalue("base_image")
        with running_cluster_target(folder, standing, image) as (target, releases, hands):
            target.ensure(releases.make(1))
            yield target, releases, hands
        return
    with running_target(folder) as (local, releases):
        local.ensure(releases.make(1))
        yield local, releases, LocalHands(local)


@pytest.fixture
def releases(system: System) -> EchoReleases:
    return system[1]


@pytest.fixture
def hands(system: System) -> Hands:
    return system[2]


@pytest.fixture
def first(releases: EchoReleases) -> Release:
    return releases.make(1)


@pytest.fixture
def second(releases: EchoReleases) -> Release:
    return releases.make(2)


@pytest.fixture
def target(system: System, first: Release) -> Iterator[Any]:
    """Both slots empty before and after; everything else running."""
    made = system[0]
    made.ensure(first)
    yield made
    for slot in Slot:
        made.stop_slot(slot, kill=True, forget=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
