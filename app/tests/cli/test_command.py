"""The command: exit codes, messages instead of tracebacks, and how much it imports."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trading.cli import COMMANDS


def _trading(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SLIPWAY_")}
    return subprocess.run(
        [sys.executable, "-m", "trading", *words],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_help_names_every_command() -> None:
    result = _trading("--help")
    assert result.returncode == 0
    for name in COMMANDS:
        assert f"\n  {name} " in result.stdout
    assert _trading().returncode == 2
    assert _trading("--version").stdout.count(".") == 2


BAD = [
    pytest.param(["bactest"], "did you mean `trading backtest`?", id="unknown command"),
    pytest.param(["backtest", "--output", "xml"], "it takes json or human", id="output"),
    pytest.param(["backtest", "--strategy", "sma"], "sma_cross", id="strategy"),
    pytest.param(
        ["backtest", "--strategy", "sma_cross", "--parameters", "{"], "not JSON", id="broken JSON"
    ),
    pytest.param(
        ["backtest", "--strategy", "sma_cross", "--parameters", "[1]"], "an object", id="a list"
    ),
    pytest.param(
        ["backtest", "--strategy", "sma_cross", "--parameters", '{"fast": -1}'],
        "greater than or equal to 1",
        id="negative",
    ),
    pytest.param(["backtest", "--strategy", "sma_cross", "--from", "soon"], "YYYY-MM-DD", id="day"),
    pytest.param(["backtest", "--strategy", "momentum", "--symbols", "X"], "no 'X'", id="symbol"),
    pytest.param(
        ["backtest", "--strategy", "momentum", "--capital", "NaN"], "money above 0", id="capital"
    ),
    pytest.param(["shadow", "--bars", "0"], "1 to 5000", id="no bars"),
    pytest.param(["shadow"], "SLIPWAY_DATABASE_URL is not set", id="no database"),
    pytest.param(["record", "--since", "yesterday"], "ISO 8601", id="moment"),
    pytest.param(["record"], "--since", id="option missing"),
]


@pytest.mark.parametrize(("words", "message"), BAD)
def test_bad_input_is_exit_2_and_a_message(words: list[str], message: str) -> None:
    result = _trading(*words)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_an_error_is_json_where_json_was_asked_for() -> None:
    result = _trading(
        "backtest", "--strategy", "sma_cross", "--from", "2030-01-01", "--output=json"
    )
    assert result.returncode == 1
    document = json.loads(result.stdout)
    assert (document["error"], document["code"]) == ("NO_DATA", 2001)


def test_a_database_that_does_not_answer_is_exit_1_and_a_message(tmp_path: Path) -> None:
    url = f"postgresql:///nowhere?host={tmp_path}"
    result = _trading("shadow", SLIPWAY_DATABASE_URL=url)
    assert result.returncode == 1
    assert "DATABASE_UNAVAILABLE" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_backtest_prints_every_trade(tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(
        "trading: {strategies: {mine: {plugin: momentum, capital: 5000, parameters: {hold: 1}}}}"
    )
    words = ["backtest", "--strategy", "mine", "--from", "2011-01-01", "--to", "2011-12-31"]
    result = _trading(*words, "--output", "json", SLIPWAY_VALUES=str(values))
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["parameters"] == {"formation": 60, "skip": 5, "hold": 1}
    assert (document["capital"], document["days"]) == ("5000", 252)
    assert document["fills"]
    assert document["trades"]
    assert document["metrics"]["max_drawdown"] > 0
    human = _trading(*words, SLIPWAY_VALUES=str(values))
    assert "largest drawdown" in human.stdout


def test_no_costs_no_backtest(tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    zero = "{fee_ratio: 0, fee_per_share: 0, minimum_fee: 0, slippage_ratio: 0}"
    values.write_text(f"trading: {{costs: {zero}}}")
    result = _trading("backtest", "--strategy", "sma_cross", SLIPWAY_VALUES=str(values))
    assert result.returncode == 2
    assert "COSTS_MISSING" in result.stderr


LIGHT = """
import importlib, sys
importlib.import_module("trading.cli")
importlib.import_module("trading.settings").Settings.from_environment()
heavy = {"pydantic", "yaml", "fastapi", "alembic", "sqlalchemy", "psycopg"} & set(sys.modules)
sys.exit(", ".join(sorted(heavy)) or 0)
"""


def test_the_dispatcher_and_the_settings_import_nothing_heavy() -> None:
    result = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
