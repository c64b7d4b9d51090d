"""The switch is a compare-and-set; the lease moves with it in the same transaction."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from trading.control import handover
from trading.control.handover import Switch
from trading.errors import SwitchRefused

FIRST = Switch("blue", "r1", "op-1", "c1", token=5, expect_epoch=0, state="confirmed")
SECOND = Switch("green", "r2", "op-2", "c2", token=6, expect_epoch=1, state="provisional")


def _lease(connection: psycopg.Connection) -> tuple[object, ...]:
    row = connection.execute("select slot, holder, epoch from trading.lease").fetchone()
    assert row is not None
    return row


def test_nothing_is_active_before_the_first_switch(connection: psycopg.Connection) -> None:
    assert handover.show(connection) is None


def test_a_switch_moves_the_row_and_the_lease(connection: psycopg.Connection) -> None:
    handover.switch(connection, FIRST)
    connection.execute("update trading.lease set holder = gen_random_uuid(), epoch = epoch + 1")
    row = handover.switch(connection, SECOND)
    assert (row["slot"], row["epoch"], row["previous_slot"]) == ("green", 2, "blue")
    assert row["previous_release"] == "r1"
    assert _lease(connection) == ("green", None, 3)


def test_repeating_an_operation_changes_nothing(connection: psycopg.Connection) -> None:
    handover.switch(connection, FIRST)
    before = handover.switch(connection, SECOND), _lease(connection)
    assert (handover.switch(connection, SECOND), _lease(connection)) == before


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        pytest.param(dataclasses.replace(SECOND, expect_epoch=0), "STALE_EPOCH", id="epoch"),
        pytest.param(dataclasses.replace(SECOND, expect_epoch=7), "STALE_EPOCH", id="future epoch"),
        pytest.param(dataclasses.replace(SECOND, token=4), "STALE_TOKEN", id="token"),
    ],
)
def test_a_stale_switch_is_refused_and_changes_nothing(
    connection: psycopg.Connection, wanted: Switch, refusal: str
) -> None:
    before = handover.switch(connection, FIRST), _lease(connection)
    with pytest.raises(SwitchRefused) as caught:
        handover.switch(connection, wanted)
    assert caught.value.fields["error"] == refusal
    assert (handover.show(connection), _lease(connection)) == before


def test_of_many_switches_at_once_one_wins(
    connection: psycopg.Connection, database_url: str
) -> None:
    handover.switch(connection, FIRST)
    results: list[str] = []

    def attempt(number: int) -> None:
        with psycopg.connect(database_url, autocommit=True) as own:
            wanted = dataclasses.replace(SECOND, operation=f"op-{number}")
            try:
                handover.switch(own, wanted)
                results.append("won")
            except SwitchRefused as error:
                results.append(str(error.fields["error"]))

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(10, 22)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["STALE_EPOCH"] * 11 + ["won"]
    assert _lease(connection)[2] == 2


def test_confirm_and_published_belong_to_the_operation(connection: psycopg.Connection) -> None:
    handover.switch(connection, FIRST)
    handover.switch(connection, dataclasses.replace(SECOND, published=False))
    with pytest.raises(SwitchRefused, match="OTHER_OPERATION"):
        handover.confirm(connection, "op-1", 6)
    with pytest.raises(SwitchRefused, match="STALE_TOKEN"):
        handover.confirm(connection, "op-2", 5)
    assert handover.confirm(connection, "op-2", 6)["state"] == "confirmed"
    assert handover.published(connection, "op-2", 7)["published"] is True
    log = connection.execute("select epoch, state from slipway.active_log order by id").fetchall()
    assert log == [(1, "confirmed"), (2, "provisional"), (2, "confirmed"), (2, "confirmed")]


def test_a_trader_that_sleeps_in_a_transaction_does_not_hold_the_switch_up(
    connection: psycopg.Connection, database_url: str
) -> None:
    handover.switch(connection, FIRST)
    with psycopg.connect(database_url, application_name="trading trader blue") as sleeper:
        sleeper.execute("select 1 from trading.lease for share")
        began = time.monotonic()
        handover.switch(connection, SECOND)
        assert time.monotonic() - began < 0.5
        with pytest.raises(psycopg.OperationalError):
            sleeper.execute("select 1")
    assert _lease(connection)[0] == "green"


def test_a_switch_tells_those_who_listen(connection: psycopg.Connection, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute("listen slipway_active")
        handover.switch(connection, FIRST)
        told = [notify.payload for notify in listener.notifies(timeout=5, stop_after=1)]
    assert told == ["1"]


def _command(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trading", "handover", *arguments, "--output", "json"],
        env={"PATH": os.environ["PATH"], "SLIPWAY_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_the_command_switches_and_names_a_stale_epoch(database_url: str) -> None:
    options = ["switch", "--to", "blue", "--release", "r", "--operation", "o", "--commit", "c"]
    options += ["--token", "1", "--state", "provisional", "--confirm-by", "2030-01-01T00:00:00Z"]
    done = _command(database_url, *options, "--expect-epoch", "0")
    assert (done.returncode, json.loads(done.stdout)["epoch"]) == (0, 1)
    options[6] = "another"
    refused = _command(database_url, *options, "--expect-epoch", "0")
    assert (refused.returncode, json.loads(refused.stdout)["error"]) == (1, "STALE_EPOCH")
    shown = _command(database_url, "show")
    assert json.loads(shown.stdout)["confirm_by"].startswith("2030-01-01T00:00:00")


def test_the_command_refuses_a_time_without_offset(database_url: str) -> None:
    options = ["switch", "--to", "blue", "--release", "r", "--operation", "o", "--commit", "c"]
    options += ["--token", "1", "--state", "provisional", "--confirm-by", "2030-01-01T00:00:00"]
    refused = _command(database_url, *options, "--expect-epoch", "0")
    assert refused.returncode == 2
    assert "offset" in json.loads(refused.stdout)["message"]


def test_the_command_imports_neither_web_server_nor_alembic() -> None:
    code = (
        "import sys, trading.cli.handover, trading.control.handover, trading.cli.migrate, "
        "trading.migrations.ledger; "
        "print([m for m in ('fastapi', 'numpy', 'alembic', 'sqlalchemy', 'pydantic', 'asyncio.x') "
        "if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert out.stdout.strip() == "[]", out.stderr


def test_the_sql_can_be_run_again_and_again(empty_database_url: str) -> None:
    import trading.control.handover as module

    text = (Path(module.__file__).parent / "active.sql").read_text()
    with psycopg.connect(empty_database_url, autocommit=True) as own:
        own.execute(text)
        handover.switch(own, FIRST)  # an application without a lease
        own.execute(text)
        row = handover.show(own)
    assert row is not None
    assert row["epoch"] == 1
