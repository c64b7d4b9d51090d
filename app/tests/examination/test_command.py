"""`trading examine`: options, exit codes, refusals of bad input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

VALUES = """
trading:
  strategies:
    mine: {plugin: sma_cross, capital: 50000, symbols: [GOOG], parameters: {fast: 3, slow: 12}}
    wild: {plugin: sma_cross, capital: 50000, symbols: [GOOG], parameters: {fats: 3}}
"""


def _examine(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trading", "examine", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.fixture
def limits(tmp_path: Path) -> Path:
    path = tmp_path / "limits.yaml"
    path.write_text("limits: {max_drawdown: {most: 0.9}}\nother_bars: 20\n")
    return path


@pytest.fixture
def values(tmp_path: Path) -> Path:
    path = tmp_path / "values.yaml"
    path.write_text(VALUES)
    return path


def test_an_instance_is_examined_and_reported(limits: Path, values: Path, tmp_path: Path) -> None:
    result = _examine(
        "--strategy", "sma_cross", "--instance", "mine", "--values", values, "--limits", limits,
        "--report-dir", tmp_path / "out", "--output", "json",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[:2000] + result.stderr
    answer = json.loads(result.stdout)
    assert set(answer) == {"ok", "document", "observed"}
    assert answer["document"]["strategy"]["parameters_in_full"] == {"fast": 3, "slow": 12}
    assert answer["document"]["strategy"]["symbols"] == ["GOOG"]
    assert answer["observed"]["cpu_seconds_per_1000_bars"] > 0
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


def test_wrong_parameters_are_a_no_not_a_crash(limits: Path, values: Path) -> None:
    result = _examine(
        "--strategy", "sma_cross", "--instance", "wild", "--values", values, "--limits", limits
    )
    assert result.returncode == 1
    assert "FAIL  interface and parameters" in result.stdout
    assert "fats: Extra inputs are not permitted" in result.stdout


BAD = [
    pytest.param(["--strategy", "../etc"], "folder's name", id="path"),
    pytest.param(["--strategy", "nothing_here"], "there is no strategy 'nothing_here'", id="name"),
    pytest.param(["--strategy", "sma_cross", "--instance", "x"], "no instance of", id="instance"),
    pytest.param(["--strategy", "sma_cross", "--subject", "/nowhere"], "holds no", id="subject"),
    pytest.param(
        ["--strategy", "sma_cross", "--values", "/nowhere"], "cannot be read", id="values"
    ),
]


@pytest.mark.parametrize(("words", "message"), BAD)
def test_bad_input_is_exit_2_and_a_message(words: list[str], message: str, limits: Path) -> None:
    result = _examine(*words, "--limits", limits)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


LIMITS = {
    "unknown": ("limits: {max_drawdwon: {most: 1}}", "there is no figure 'max_drawdwon'"),
    "no end": ("limits: {volatility: {}}", "write least or most"),
    "off": ("limits: {trades: {least: 0}}", "at least 1 must be asked"),
    "empty": ("limits: {}", "at least 1 item"),
    "twice": ("other_bars: 20\nother_bars: 21", "stands twice"),
    "too few": ("other_bars: 0", "greater than or equal to 20"),
    "a list": ("[1]", "no mapping of limits"),
    "infinite": ("limits: {volatility: {most: .inf}}", "finite number"),
}


@pytest.mark.parametrize("kind", sorted(LIMITS))
def test_limits_are_read_strictly(kind: str, tmp_path: Path) -> None:
    from trading.errors import InvalidSettings
    from trading.examination.limits import load

    text, message = LIMITS[kind]
    path = tmp_path / "limits.yaml"
    path.write_text(text)
    with pytest.raises(InvalidSettings, match=message):
        load(path)
