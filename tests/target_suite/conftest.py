"""Every target passes the same suite. Another target is another branch in `system`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.model.release import Release
from pipelines.model.slots import Slot
from pipelines.targets.local.target import LocalTarget
from tests.target_suite.local import EchoReleases, running_target

System = tuple[LocalTarget, EchoReleases]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_target(tmp_path_factory.mktemp("target")) as made:
        target, releases = made
        target.ensure(releases.make(1))
        yield made


@pytest.fixture
def releases(system: System) -> EchoReleases:
    return system[1]


@pytest.fixture
def first(releases: EchoReleases) -> Release:
    return releases.make(1)


@pytest.fixture
def second(releases: EchoReleases) -> Release:
    return releases.make(2)


@pytest.fixture
def target(system: System, first: Release) -> Iterator[LocalTarget]:
    """Both slots empty before and after; everything else running."""
    made = system[0]
    made.ensure(first)
    yield made
    for slot in Slot:
        made.stop_slot(slot, kill=True, forget=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
