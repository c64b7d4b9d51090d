"""What must be true of a release before it may trade, and the JSON that says so."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg import Connection

from trading.backtest.kernel import StrategyEngine
from trading.control.checks import Check, report, text
from trading.control.live_day import LiveDay
from trading.control.validation import validate
from trading.market_data import repository
from trading.market_data.replay import Replay
from trading.settings import Settings
from trading.values import ReplayValues, Values

VALUES = "trading: {strategies: {mine: {plugin: sma_cross, capital: 10000}}"


def _settings(tmp_path: Path, more: str = "", **environment: str) -> Settings:
    file = tmp_path / "values.yaml"
    file.write_text(f"{VALUES}{more}}}")
    return Settings.from_environment({"SLIPWAY_VALUES": str(file), **environment})


def _failed(checks: list[Check]) -> dict[str, str]:
    return {check.name: check.message for check in checks if not check.ok}


def test_a_sound_release_passes(tmp_path: Path, database_url: str) -> None:
    checks = validate(_settings(tmp_path, SLIPWAY_DATABASE_URL=database_url))
    assert _failed(checks) == {}
    assert [check.name for check in checks] == [
        "engine",
        "schema",
        "retention for mine",
        "backtest of mine",
        "signals of mine",
        "limits of mine",
    ]
    assert all(check.samples > 0 for check in checks)


def test_a_database_without_the_migrations_fails(tmp_path: Path, empty_database_url: str) -> None:
    checks = validate(_settings(tmp_path, SLIPWAY_DATABASE_URL=empty_database_url))
    assert "trading migrate up" in _failed(checks)["schema"]


def test_a_database_that_nobody_named_fails(tmp_path: Path) -> None:
    assert "SLIPWAY_DATABASE_URL" in _failed(validate(_settings(tmp_path)))["schema"]


@pytest.mark.parametrize(
    ("more", "name", "words"),
    [
        pytest.param(
            ", risk: {max_order_notional: 100}", "limits of mine", "max_order_notional", id="worth"
        ),
        pytest.param(
            ", risk: {max_order_quantity: 1}", "limits of mine", "max_order_quantity", id="shares"
        ),
        pytest.param(
            ", costs: {fee_ratio: 0, fee_per_share: 0, minimum_fee: 0, slippage_ratio: 0}",
            "backtest of mine",
            "all zero",
            id="no costs",
        ),
        pytest.param(", rsk: {}", "values", "trading.rsk", id="misspelled"),
    ],
)
def test_a_release_that_could_not_trade_fails_with_the_reason(
    tmp_path: Path, more: str, name: str, words: str
) -> None:
    failed = _failed(validate(_settings(tmp_path, more), with_database=False))
    assert words in failed[name]


def _slow(days: int, retention: int) -> str:
    return (
        f"trading: {{replay: {{retention_days: {retention}}}, strategies: {{slow: "
        f"{{plugin: sma_cross, capital: 10000, parameters: {{fast: 5, slow: {days}}}}}}}}}"
    )


def test_a_retention_that_a_lookback_does_not_fit_into_fails_and_says_what_to_set(
    tmp_path: Path,
) -> None:
    file = tmp_path / "values.yaml"
    settings = Settings.from_environment({"SLIPWAY_VALUES": str(file)})
    file.write_text(_slow(90, retention=90))
    failed = _failed(validate(settings, with_database=False))
    assert list(failed) == ["retention for slow"]
    message = failed["retention for slow"]
    assert "a lookback of 91 trading days" in message
    assert "retention_days is 90" in message
    found = re.search(r"set trading\.replay\.retention_days to (\d+) or more", message)
    assert found, message
    file.write_text(_slow(90, retention=int(found[1])))
    assert _failed(validate(settings, with_database=False)) == {}
    file.write_text(_slow(90, retention=int(found[1]) - 1))
    assert list(_failed(validate(settings, with_database=False))) == ["retention for slow"]


def test_on_every_day_the_retention_leaves_what_a_new_process_must_look_back_on(
    connection: Connection,
) -> None:
    """In the window that holidays make the longest of all, with not a day to spare."""
    lookback, replay = 66, Replay()
    longest = replay.longest(lookback)
    first = next(
        index
        for index in range(replay.days_per_lap)
        if replay.timestamp(index + lookback - 1) - replay.timestamp(index) == longest
    )
    for bars in replay.days(first - 60, lookback + 60):
        repository.store(connection, bars)
    values = Values(replay=ReplayValues(retention_days=longest.days))
    today = replay.timestamp(first + lookback - 1)
    LiveDay(connection, values, replay, lambda: StrategyEngine([]), "r1")._forget_old(today)
    left = repository.last_days(connection, 1_000, before=today)
    assert lookback - 1 <= len(left) < lookback - 1 + 60


def test_no_strategy_and_unknown_parameters_fail(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    for content, name in (
        ("trading: {strategies: {}}", "strategies"),
        ("trading: {strategies: {a: {plugin: nope, capital: 1}}}", "values"),
        (
            "trading: {strategies: {a: {plugin: momentum, capital: 1, parameters: {x: 1}}}}",
            "values",
        ),
    ):
        file.write_text(content)
        settings = Settings.from_environment({"SLIPWAY_VALUES": str(file)})
        assert list(_failed(validate(settings, with_database=False))) == [name]


def test_nothing_checked_is_not_ok() -> None:
    assert report([]) == {"ok": False, "checks": []}
    assert "nothing was checked" in text([])
    assert text([Check("a", False, "because", 3)]) == "FAIL  a: because (3 samples)"


@pytest.mark.parametrize(
    "words",
    [["validate"], ["shadow", "--bars", "30"], ["record", "--since", "2020-01-01T00:00:00Z"]],
    ids=["validate", "shadow", "record"],
)
def test_every_check_answers_in_the_same_json(
    words: list[str], tmp_path: Path, database_url: str
) -> None:
    import psycopg

    with psycopg.connect(database_url) as connection:
        for bars in Replay().days(3_000, 80):
            repository.store(connection, bars)
    values = tmp_path / "values.yaml"
    values.write_text(f"{VALUES}}}")
    result = subprocess.run(
        [sys.executable, "-m", "trading", *words, "--output", "json"],
        env={
            **os.environ,
            "SLIPWAY_VALUES": str(values),
            "SLIPWAY_DATABASE_URL": database_url,
            "SLIPWAY_RELEASE": "r1",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    document = json.loads(result.stdout)
    assert result.returncode == 0, result.stdout
    assert document["ok"] is True
    assert document["checks"]
    for check in document["checks"]:
        assert set(check) == {"name", "ok", "message", "samples"}
