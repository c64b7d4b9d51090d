"""One installation for all acceptance tests."""

from tests.harness.fixtures import installation

__all__ = ["installation"]
