"""A running environment for the tests of the live loop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from world import World, wait_until


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """Database, venue and the last prices; no trader yet."""
    with World(tmp_path, database_url) as world:
        world.start_venue()
        yield world


@pytest.fixture
def trading_world(world: World) -> World:
    """`world` with blue trading and a price for every symbol."""
    world.switch("blue")
    world.start_trader("blue")
    wait_until(lambda: world.one("select count(*) from trading.equity")[0] > 2, "days go by")
    return world
