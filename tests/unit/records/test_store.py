"""The file itself: whose it is, who may write at once, and what is said when it cannot be used."""

from __future__ import annotations

import gc
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipelines.adapters.sqlite import SqliteStore, open_records
from pipelines.model.errors import NeedsPerson, Unavailable


def test_folder_and_file_are_for_their_owner_only(tmp_path: Path) -> None:
    open_records(tmp_path, "dev")
    folder = tmp_path / "environments" / "dev"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "records.sqlite").stat().st_mode) == 0o600


def test_every_commit_is_on_disk(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "records.sqlite")
    assert store.query("pragma journal_mode") == [("wal",)]
    assert store.query("pragma synchronous") == [(2,)]


def test_a_block_that_fails_writes_nothing(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "records.sqlite")

    def fail() -> None:
        with store.write() as transaction:
            transaction.execute("insert into once values ('key', 'now')")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert store.query("select * from once") == []


def test_processes_and_threads_write_side_by_side(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from pipelines.adapters.sqlite import open_records\n"
        "audit = open_records(Path(sys.argv[1]), 'dev').audit\n"
        "for _ in range(50): audit.append(actor='a', action='x')\n"
    )
    argv = [sys.executable, "-c", script, str(tmp_path)]
    children = [subprocess.Popen(argv) for _ in range(3)]
    audit = open_records(tmp_path, "dev").audit

    def write() -> None:
        for _ in range(25):
            audit.append(actor="a", action="x")

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [child.wait() for child in children] == [0, 0, 0]
    assert len(audit.entries()) == 200
    assert audit.verify([]) == []


def test_a_fork_does_not_share_the_connection(tmp_path: Path) -> None:
    audit = open_records(tmp_path, "dev").audit
    audit.append(actor="parent", action="x")
    pid = os.fork()
    if pid == 0:
        audit.append(actor="child", action="x")
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    audit.append(actor="parent", action="x")
    assert [e.actor for e in audit.entries()] == ["parent", "child", "parent"]
    assert audit.verify([]) == []


_INSERT = "insert into once values (?, 'now')"


def test_children_of_a_fork_lock_the_file_that_the_parent_had_open(tmp_path: Path) -> None:
    """One that ends must not take away what the other is writing to."""
    for round_number in range(5):
        store = SqliteStore(tmp_path / f"{round_number}.sqlite")
        children = [_forked(store) for _ in range(3)]
        assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
        assert store.query("select count(*) from once")[0][0] == 60


def test_a_store_that_nobody_has_any_more_keeps_no_file_open(tmp_path: Path) -> None:
    gc.disable()
    try:
        SqliteStore(tmp_path / "records.sqlite").query("select * from once")
        links = [
            os.readlink(entry.path) for entry in os.scandir("/proc/self/fd") if entry.is_symlink()
        ]
    finally:
        gc.enable()
    assert not [link for link in links if link.startswith(str(tmp_path))]


def _forked(store: SqliteStore) -> int:
    pid = os.fork()
    if pid == 0:
        for number in range(20):
            with store.write() as transaction:
                transaction.execute(_INSERT, (f"{os.getpid()}-{number}",))
        os._exit(0)
    return pid


def test_a_full_disk_is_said_and_nothing_is_half_written(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "records.sqlite")
    pages = store.query("pragma page_count")[0][0]
    store.query(f"pragma max_page_count = {pages}")

    def fill() -> None:
        with store.write() as transaction:
            for number in range(1000):
                transaction.execute("insert into facts values (?, ?)", (str(number), "x" * 1000))

    with pytest.raises(Unavailable, match="full") as refused:
        fill()
    assert refused.value.exit_code == 5
    assert store.query("select count(*) from facts") == [(0,)]


def test_a_state_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "environments").write_text("a file where a folder belongs")
    with pytest.raises(Unavailable, match="cannot be used"):
        open_records(tmp_path, "dev")


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    open_records(tmp_path, "dev")
    file = tmp_path / "environments/dev/records.sqlite"
    file.write_bytes(b"this is not a database file" * 1000)
    for name in ("records.sqlite-wal", "records.sqlite-shm"):
        file.with_name(name).unlink(missing_ok=True)
    with pytest.raises(NeedsPerson, match="damaged"):
        open_records(tmp_path, "dev")


def test_a_writer_that_died_does_not_block_the_next(tmp_path: Path) -> None:
    open_records(tmp_path, "dev")
    script = (
        "import os, signal, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('begin immediate'); c.execute(\"insert into once values ('k', 'n')\")\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    file = tmp_path / "environments/dev/records.sqlite"
    subprocess.run([sys.executable, "-c", script, str(file)], check=False)
    records = open_records(tmp_path, "dev")
    assert not records.journal.once("k")
    records.journal.record_once("k")


def test_a_freeze_names_who_froze_first_until_the_thaw(tmp_path: Path) -> None:
    freeze = open_records(tmp_path, "dev").freeze
    assert freeze.state() is None
    freeze.freeze("ada", "quarter end")
    freeze.freeze("ben", "me too")
    found = freeze.state()
    assert found is not None
    assert found[:2] == ("ada", "quarter end")
    freeze.thaw("ada", "over")
    assert freeze.state() is None


def test_tokens_cannot_be_lowered_through_sql(tmp_path: Path) -> None:
    open_records(tmp_path, "dev").lock.acquire("ada", "x", lease_seconds=60)
    connection = sqlite3.connect(tmp_path / "environments/dev/records.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="only grows"):
        connection.execute("update lock set token = 0")
    with pytest.raises(sqlite3.IntegrityError, match="only grows"):
        connection.execute("delete from lock")
    connection.close()


def test_opening_the_records_is_quick_enough_for_a_rollback(tmp_path: Path) -> None:
    """60 ms on an idle machine, imports included. CPU time, best of five: others may be at work."""
    script = (
        "import time; started = time.process_time()\n"
        "import sys; from pathlib import Path\n"
        "from pipelines.adapters.sqlite import open_records\n"
        "open_records(Path(sys.argv[1]), 'dev').lock.status()\n"
        "print(time.process_time() - started)\n"
    )
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    argv = [sys.executable, "-c", script, str(tmp_path)]
    cached = {**clean, "PYTHONPYCACHEPREFIX": str(tmp_path / "bytecode")}
    seconds = [
        float(subprocess.run(argv, env=cached, capture_output=True, check=True).stdout)
        for _ in range(6)
    ]
    assert min(seconds[1:]) < 0.12
