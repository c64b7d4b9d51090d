"""One installation for all fault tests."""

from tests.harness.fixtures import installation

__all__ = ["installation"]
