"""Slots for the tests of the API: real processes on real sockets with a real database."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest

HERE = Path(__file__).parent
TOKEN = "a-token-that-only-this-test-knows"

VALUES = """
trading:
  strategies:
    sma-cross: {plugin: sma_cross, capital: 100000}
  risk: {max_orders_per_second: 100, max_order_quantity: 1000}
"""


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


def variables(folder: Path, url: str) -> dict[str, str]:
    """The environment of an API process, with its token file and values in `folder`."""
    token = folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    values = folder / "values.yaml"
    values.write_text(VALUES)
    return {
        "SLIPWAY_ENVIRONMENT": "dev",
        "SLIPWAY_RELEASE": "r-test",
        "SLIPWAY_DATABASE_URL": url,
        "SLIPWAY_TOKEN_FILE": str(token),
        "SLIPWAY_VALUES": str(values),
    }


PRICES = """insert into trading.instruments (symbol, last_price, last_bar_timestamp) values
  ('AAPL', 100, '2001-01-02 21:00Z'), ('IBM', 50, '2001-01-02 21:00Z')
  on conflict (symbol) do update set last_price = excluded.last_price"""


def running(slots: ModuleType, folder: Path, url: str) -> Iterator[Any]:
    """The API process of slot blue, live, on a database with prices; client in `.client`."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(PRICES)
    command = [sys.executable, "-m", "trading", "serve", "api"]
    with slots.SlotPair(folder, command, variables(folder, url)) as pair:
        pair.start("blue", live=True)
        pair.client = slots.Client(pair.live_port, TOKEN)
        yield pair


@pytest.fixture
def api_command(slots: ModuleType) -> Callable[[Path, str], Any]:
    """Makes a pair of slots that run the API on a database."""

    def make(folder: Path, url: str) -> Any:
        command = [sys.executable, "-m", "trading", "serve", "api"]
        return slots.SlotPair(folder, command, variables(folder, url))

    return make


@pytest.fixture
def api(slots: ModuleType, tmp_path: Path, database_url: str) -> Iterator[Any]:
    """A process and a database of this test's own."""
    yield from running(slots, tmp_path, database_url)


@pytest.fixture(scope="session")
def module_api(
    slots: ModuleType,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: str,
    migrated_template: str,
) -> Iterator[Any]:
    """One process for all tests that change nothing."""
    with psycopg.connect(postgres.format("postgres"), autocommit=True) as admin:
        admin.execute(f"create database read_only template {migrated_template}")
    folder = tmp_path_factory.mktemp("api")
    yield from running(slots, folder, postgres.format("read_only"))
