"""A plugin of pytest: why a test failed, as soon as it did. A suite may be ended before its summary."""

from __future__ import annotations

import pytest


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        print(f"\n{report.nodeid}, {report.when}:\n{report.longreprtext}\n", flush=True)
