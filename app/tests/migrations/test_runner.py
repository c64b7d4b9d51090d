"""Migrations: idempotent, resumable, impatient with locks, undone from the ledger."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from trading.errors import LockTimeout, MigrationFailed, SchemaMissing
from trading.migrations import ledger, needs, runner, scripts

EXPAND = [script.revision for script in scripts.scripts() if script.kind == "expand"]


def _open(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True)


def test_an_empty_database_lacks_everything(empty_database_url: str) -> None:
    with _open(empty_database_url) as connection:
        state = ledger.status(connection)
        assert state["required"] == EXPAND
        assert (state["applied"], state["missing"]) == ([], [])
        with pytest.raises(SchemaMissing, match="trading migrate up"):
            ledger.require_schema(connection)


def test_up_applies_once_and_keeps_the_scripts(empty_database_url: str) -> None:
    assert runner.up(empty_database_url, release="r1") == EXPAND
    assert runner.up(empty_database_url, release="r2") == []
    with _open(empty_database_url) as connection:
        assert ledger.require_schema(connection) == EXPAND
        row = connection.execute(
            "select script, down_script, applied_by_release from slipway.migrations limit 1"
        ).fetchone()
    assert row is not None
    assert "create schema" in row[0]
    assert "drop schema" in row[1]
    assert row[2] == "r1"


def test_an_unknown_revision_is_missing_here_and_undone_from_the_ledger(
    empty_database_url: str,
) -> None:
    runner.up(empty_database_url, release="r1")
    with _open(empty_database_url) as connection:
        connection.execute("create table trading.of_the_future (n int)")
        connection.execute(
            """insert into slipway.migrations (revision, kind, sha256, script, down_script,
            applied_by_release) values ('r9999', 'expand', '', '',
            'drop table trading.of_the_future -- 100%', 'r9')"""
        )
        assert ledger.status(connection)["missing"] == ["r9999"]
        ledger.require_schema(connection)  # a database ahead of the code is fine
        assert runner.down(empty_database_url, EXPAND[-1]) == ["r9999"]
        row = connection.execute("select to_regclass('trading.of_the_future')").fetchone()
    assert row == (None,)


def test_down_to_the_base_and_up_again(empty_database_url: str) -> None:
    runner.up(empty_database_url, release="r1")
    assert runner.down(empty_database_url, "base") == EXPAND[::-1]
    assert runner.up(empty_database_url, release="r1") == EXPAND
    with pytest.raises(MigrationFailed, match="'nowhere' is not applied"):
        runner.down(empty_database_url, "nowhere")


def test_many_at_once_apply_each_step_once(empty_database_url: str) -> None:
    results: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: results.append(runner.up(empty_database_url, release="r1")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [[], [], [], EXPAND]


def test_readers_never_wait_behind_a_migration(database_url: str) -> None:
    with _open(database_url) as reader, _open(database_url) as other:
        reader.execute("begin; select * from trading.orders; select * from trading.bars")
        with pytest.raises(LockTimeout, match="pg_stat_activity"):
            runner.down(database_url, "base", patience_seconds=1.0)
        slowest = 0.0
        attempt = threading.Thread(target=lambda: _down_quietly(database_url))
        attempt.start()
        while attempt.is_alive():
            began = time.monotonic()
            other.execute("select count(*) from trading.orders")
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 0.3  # 100 ms of waiting for the lock, and a busy machine
        assert EXPAND[0] in ledger.applied(other)


def _down_quietly(url: str) -> None:
    with pytest.raises(LockTimeout):
        runner.down(url, "base", patience_seconds=1.5)


@pytest.mark.parametrize("after_seconds", [0.6, 0.9, 1.2])
def test_killed_at_any_time_the_next_run_goes_on(
    empty_database_url: str, after_seconds: float
) -> None:
    command = [sys.executable, "-m", "trading", "migrate", "up"]
    environ = {"PATH": os.environ["PATH"], "SLIPWAY_DATABASE_URL": empty_database_url}
    process = subprocess.Popen(command, env=environ)
    time.sleep(after_seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    runner.up(empty_database_url, release="r1")
    with _open(empty_database_url) as connection:
        assert ledger.applied(connection) == EXPAND
        assert connection.execute("select count(*) from trading.replay_state").fetchone() == (1,)


def test_the_command_prints_its_status_as_json(empty_database_url: str) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "trading", "migrate", "status", "--output", "json"],
        env={"PATH": os.environ["PATH"], "SLIPWAY_DATABASE_URL": empty_database_url},
        capture_output=True,
        text=True,
        timeout=30,
    )
    status = json.loads(process.stdout)
    assert [item["revision"] for item in status["pending"]][: len(EXPAND)] == EXPAND
    assert set(status) == {"required", "applied", "pending", "missing"}


_SCRIPT = '''"""{text}"""
revision = "{revision}"
down_revision = {down}
kind = "{kind}"
UP = "select 1"
DOWN = "select 1"
'''


def _write(folder: Path, revision: str, down: str | None, kind: str) -> None:
    text = _SCRIPT.format(text="t", revision=revision, down=repr(down), kind=kind)
    (folder / f"{revision}.py").write_text(text)


def test_scripts_are_one_chain_and_name_their_kind(tmp_path: Path) -> None:
    _write(tmp_path, "r2", "r1", "contract")
    _write(tmp_path, "r1", None, "expand")
    assert [script.revision for script in scripts.scripts(tmp_path)] == ["r1", "r2"]
    assert scripts.required(tmp_path) == ["r1"]
    _write(tmp_path, "r4", "r3", "expand")
    with pytest.raises(MigrationFailed, match=r"\['r4'\] are not on one chain"):
        scripts.scripts(tmp_path)
    _write(tmp_path, "r4", "r2", "other")
    with pytest.raises(MigrationFailed, match="kind must be expand or contract"):
        scripts.scripts(tmp_path)


def test_the_needed_columns_are_those_that_the_scripts_make(database_url: str) -> None:
    with _open(database_url) as connection:
        made = connection.execute(
            """select c.relname || '.' || a.attname from pg_attribute a
            join pg_class c on c.oid = a.attrelid
            where c.relnamespace = 'trading'::regnamespace and c.relkind in ('r', 'p')
              and not c.relispartition and a.attnum > 0 and not a.attisdropped"""
        ).fetchall()
    assert sorted(needs.NEEDED) == sorted(name for (name,) in made)


def test_a_column_that_went_away_is_named(connection: psycopg.Connection) -> None:
    connection.execute("alter table trading.positions rename column fees to costs")
    with pytest.raises(SchemaMissing, match=r"lacks positions\.fees, which this release uses"):
        ledger.require_schema(connection)


def test_a_column_that_every_insert_would_lack_is_named(connection: psycopg.Connection) -> None:
    connection.execute("alter table trading.orders add column note text not null default ''")
    ledger.require_schema(connection)
    connection.execute("alter table trading.orders alter column note drop default")
    with pytest.raises(SchemaMissing, match=r"demands orders\.note, which this release does not"):
        ledger.require_schema(connection)


_ACTIVE = """insert into slipway.active (slot, release, epoch, operation, commit, state, token)
values ('blue', 'r-1', 1, 'operation', 'commit', 'confirmed', 1)"""


def _chain(monkeypatch: pytest.MonkeyPatch, *kinds: scripts.Kind) -> None:
    """So many revisions that do nothing, instead of the real ones."""
    made = [
        scripts.Script(f"r{number}", None, kind, "", "", "select 1", "select 1", False)
        for number, kind in enumerate(kinds, 1)
    ]
    monkeypatch.setattr(runner, "scripts", lambda: made)


def test_a_database_in_which_nothing_was_ever_active_gets_contract_steps_as_well(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _chain(monkeypatch, "expand", "contract", "expand")
    assert runner.up(empty_database_url, release="r-1") == ["r1", "r2", "r3"]


def test_a_database_in_which_something_was_active_waits_for_its_contract_step(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _chain(monkeypatch, "expand")
    runner.up(empty_database_url, release="r-1")
    with _open(empty_database_url) as connection:
        connection.execute(_ACTIVE)
    _chain(monkeypatch, "expand", "contract", "expand")
    with pytest.raises(MigrationFailed, match="r3 comes after r2, which is pending"):
        runner.up(empty_database_url, release="r-2")
    assert runner.up(empty_database_url, "contract", release="r-2") == ["r2"]
    assert runner.up(empty_database_url, release="r-2") == ["r3"]
