"""One installation for the browser's tests."""

import pytest

from tests.browser import chromium
from tests.harness.fixtures import installation

__all__ = ["installation"]


@pytest.fixture(autouse=True)
def _browser_installed() -> None:
    if chromium.find() is None:
        pytest.skip("no Chromium on this machine")
