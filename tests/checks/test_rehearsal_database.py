"""The copy of a rehearsal: made once, private, the same schema in the same words, and gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pipelines.adapters.rehearsal_database import LocalRehearsals, newest_backup, normalised
from pipelines.adapters.rehearsal_templates import KEEP
from pipelines.model.errors import Unavailable
from pipelines.stages.rehearsal_protocol import BackupCopy, Database
from tests.harness.disk import small_file_system

ROOT = Path(__file__).resolve().parents[2]
KILLED = """
import sys, time
from pathlib import Path
from pipelines.adapters.rehearsal_database import LocalRehearsals
place = Path(sys.argv[1])
with LocalRehearsals(None, place / "cache").generated(place / "scratch", "k", lambda _: None) as db:
    with LocalRehearsals(None, place / "cache").start(
        ["sleep", "600"], folder=place / "scratch", variables={"PATH": "/usr/bin:/bin"}
    ):
        print(db.url, flush=True)
        time.sleep(600)
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder.stat().st_uid == os.getuid() and folder != Path("/tmp"):
            folder.chmod(0o755)
    (tmp_path / "scratch").mkdir()
    yield tmp_path
    assert _processes(tmp_path) == []


def _processes(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            inside = str(folder) in os.readlink(entry / "cwd")
        except OSError:
            continue
        if inside or (str(folder) in words and "pytest" not in words):
            found.append(words)
    return found


def _fill(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("create table words (id int primary key, word text)")
        connection.execute("insert into words select n, 'w' from generate_series(1, 1000) n")


def test_a_copy_is_filled_once_and_each_one_is_private(place: Path) -> None:
    filled: list[str] = []

    def fill(database: Database) -> None:
        filled.append(database.url)
        _fill(database)

    rehearsals = LocalRehearsals(None, place / "cache")
    for _ in range(2):
        with rehearsals.generated(place / "scratch", "key", fill) as database:
            assert database.rows() == 1000
            with psycopg.connect(database.url) as connection:
                connection.execute("delete from words")
        assert not (place / "scratch" / "data").exists()
    assert len(filled) == 1


def test_only_the_newest_copies_are_kept(place: Path) -> None:
    rehearsals = LocalRehearsals(None, place / "cache")
    for key in ("a", "b", "c"):
        with rehearsals.generated(place / "scratch", key, _fill):
            pass
        time.sleep(0.02)
    kept = sorted(path.name for path in (place / "cache").iterdir() if path.is_dir())
    assert kept == ["b", "c"]
    assert len(kept) == KEEP


def test_filling_that_fails_leaves_nothing_half_made(place: Path) -> None:
    def fail(_: Database) -> None:
        raise Unavailable("no rows today")

    rehearsals = LocalRehearsals(None, place / "cache")
    with pytest.raises(Unavailable, match="no rows today"):
        rehearsals.generated(place / "scratch", "key", fail).__enter__()
    assert [path.name for path in (place / "cache").iterdir()] == ["lock"]


def test_the_schema_reads_the_same_twice_and_differs_with_a_column(place: Path) -> None:
    with LocalRehearsals(None, place / "cache").generated(
        place / "scratch", "k", _fill
    ) as database:
        before = database.schema()
        assert before == database.schema()
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("alter table words add column more int")
            assert database.schema() != before
            connection.execute("alter table words drop column more, drop column word")
            connection.execute("alter table words add column word text")
        assert database.schema() == before


def test_the_order_of_columns_is_no_difference_but_their_types_are() -> None:
    first = "-- a comment\nCREATE TABLE a.t (\n    b integer,\n    c text\n);\n"
    second = "\\restrict abc\nCREATE TABLE a.t (\n    c text,\n    b integer\n);\n"
    assert normalised(first) == normalised(second)
    assert normalised(first) != normalised(second.replace("integer", "bigint"))
    assert normalised(first) != normalised(second.replace("a.t", "a.u"))


def test_an_active_release_is_named_once(place: Path) -> None:
    with LocalRehearsals(None, place / "cache").generated(
        place / "scratch", "k", _fill
    ) as database:
        database.activate("r-one")
        database.activate("r-two")
        with psycopg.connect(database.url) as connection:
            rows = connection.execute("select release, state from slipway.active").fetchall()
    assert rows == [("r-one", "confirmed")]


def test_nothing_is_left_running_when_the_check_is_killed(place: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(place)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert "host=" in url
    assert any("postgres" in words for words in _processes(place))
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 10
    while _processes(place) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _processes(place) == []


def test_a_full_disk_is_told_in_words(tmp_path: Path) -> None:
    with small_file_system(tmp_path / "small", "90m") as folder:
        (folder / "scratch").mkdir()
        with pytest.raises(Unavailable, match=r"the disk is full \(\d+ MB free, 1024 MB needed\)"):
            LocalRehearsals(None, folder / "cache").generated(
                folder / "scratch", "k", _fill
            ).__enter__()


def test_without_an_installation_there_is_no_backup(tmp_path: Path) -> None:
    assert newest_backup(tmp_path) is None
    with pytest.raises(Unavailable, match="no installation with the backup production/b1"):
        LocalRehearsals(None, tmp_path).restored(
            tmp_path, BackupCopy("production", "b1")
        ).__enter__()
