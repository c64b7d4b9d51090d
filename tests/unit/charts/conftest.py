"""One Helm for all tests of the charts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines.adapters.kubernetes import helm
from pipelines.engine.charts import ChartRenderer


@pytest.fixture(scope="session")
def renderer() -> Iterator[ChartRenderer]:
    found = helm.renderer()
    yield found
    found.close()
