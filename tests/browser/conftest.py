"""One installation for the browser's tests."""

import pytest

from tests.browser import chromium
from tests.harness.fixtures import installation
from tests.harness.missing import missing

__all__ = ["installation"]


@pytest.fixture(autouse=True)
def _browser_installed() -> None:
    if chromium.find() is None:
        missing("no Chromium on this machine")
