"""The real tools of a check, made once, and a small repository to judge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.adapters.check_environments import CheckEnvironments
from tests.support.security_change import Bench, SmallRepository

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> CheckEnvironments:
    folder = tmp_path_factory.mktemp("tools")
    return CheckEnvironments(folder, ROOT / "requirements-check.lock")


@pytest.fixture
def repository(tmp_path: Path) -> SmallRepository:
    return SmallRepository(tmp_path)


@pytest.fixture
def bench(tmp_path: Path, environments: CheckEnvironments) -> Iterator[Bench]:
    made = Bench(tmp_path, environments)
    yield made
    made.close()
