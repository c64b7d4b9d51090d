"""The init container's program, run as it runs in a pod."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.charts import CHARTS

PROGRAM = CHARTS / "trading" / "files" / "wait.py"


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def silent() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait(folder: Path, url: str, seconds: float, venue: str = "") -> tuple[int, str]:
    file = folder / "database-url"
    file.write_text(f"{url}\n")
    done = subprocess.run(
        [sys.executable, "-I", str(PROGRAM)],
        env={
            "PATH": os.defpath,
            "SLIPWAY_DATABASE_URL_FILE": str(file),
            "SLIPWAY_VENUE_URL": venue,
            "WAIT_SECONDS": str(seconds),
        },
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.returncode, done.stdout + done.stderr


def test_it_ends_well_once_database_and_venue_answer(tmp_path: Path, listening: int) -> None:
    # not-a-secret: nobody's password
    url = f"postgresql://u:p%40ss@127.0.0.1:{listening}/trading?sslmode=disable"
    code, said = wait(tmp_path, url, 5, venue=f"http://127.0.0.1:{listening}")
    assert code == 0
    assert f"database at 127.0.0.1:{listening} answers" in said
    assert f"venue at 127.0.0.1:{listening} answers" in said
    assert "p%40ss" not in said


def test_it_gives_up_at_its_limit_and_says_what_did_not_answer(
    tmp_path: Path, listening: int, silent: int
) -> None:
    began = time.monotonic()
    url = f"postgresql://u:secret@127.0.0.1:{listening}/trading"
    code, said = wait(tmp_path, url, 1, venue=f"http://127.0.0.1:{silent}")
    assert code == 1
    assert f"venue at 127.0.0.1:{silent} does not answer" in said
    assert "gave up after 1 s" in said
    assert time.monotonic() - began < 15


def test_one_host_of_several_is_enough(tmp_path: Path, listening: int, silent: int) -> None:
    url = f"postgresql://u@127.0.0.1:{silent},127.0.0.1:{listening}/trading"
    assert wait(tmp_path, url, 5)[0] == 0


@pytest.mark.parametrize("url", ["", "postgresql:///trading", "postgresql://u@h:port/x"])
def test_an_address_that_names_no_host_is_said_and_not_waited_for(tmp_path: Path, url: str) -> None:
    code, said = wait(tmp_path, url, 60)
    assert code == 1
    assert "the database's address cannot be read" in said
    assert "Traceback" not in said
