"""Slots for the tests of the API's server: real processes on real sockets."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


def load(name: str) -> ModuleType:
    """A helper module beside this file; the tests' folders are no packages."""
    specification = importlib.util.spec_from_file_location(f"api_{name}", HERE / f"{name}.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def slots() -> ModuleType:
    """Module `slot_pair`."""
    return load("slot_pair")
