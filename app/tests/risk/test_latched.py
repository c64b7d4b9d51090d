"""`trading latched`, in a real PostgreSQL: what a restore must not lift."""

import json

import psycopg
import pytest

from trading.cli import main
from trading.risk import killswitch

NOTHING: dict[str, list[object]] = {"latched": []}
TRIPPED = {"latched": [{"name": "kill switch", "reason": "runaway orders", "actor": "ada"}]}


def _asked(capsys: pytest.CaptureFixture[str], *words: str) -> object:
    assert main(["latched", *words, "--output", "json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("SLIPWAY_DATABASE_URL", database_url)


def test_it_shows_a_kill_switch_and_who_tripped_it_why(
    connection: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _asked(capsys, "show") == NOTHING
    killswitch.trip(connection, "runaway orders", "ada")
    assert _asked(capsys, "show") == TRIPPED


def test_what_it_showed_is_latched_again_in_an_older_database(
    connection: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _asked(capsys, "keep", json.dumps(TRIPPED)) == TRIPPED
    assert killswitch.read(connection).killed


def test_keeping_lifts_nothing(
    connection: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    killswitch.trip(connection, "an older reason", "grace")
    kept = _asked(capsys, "keep", json.dumps(NOTHING))
    assert kept == {
        "latched": [{"name": "kill switch", "reason": "an older reason", "actor": "grace"}]
    }


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"latched": [1]}', '{"latched": [{}]}'])
def test_what_show_did_not_print_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["latched", "keep", text]) == 2
    assert "is not what `trading latched show --output json` prints" in capsys.readouterr().err
