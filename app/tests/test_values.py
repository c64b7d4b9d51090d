"""values.yaml: typed, and refused with the place of what is wrong."""

from pathlib import Path

import pytest

from trading.errors import DuplicateKey, FileUnreadable, InvalidSettings
from trading.settings import Settings
from trading.values import Values, load, merged

GOOD = """
trading:
  replay: {seconds_per_day: 0.5}
  strategies:
    one: {plugin: sma_cross, capital: 1000, symbols: [IBM], parameters: {fast: 3}}
chart: {replicas: 3}
"""


def _values(tmp_path: Path, text: str | bytes) -> Values:
    file = tmp_path / "values.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Settings.from_environment({"SLIPWAY_VALUES": str(file)}).values()


def test_the_part_trading_is_read_and_others_are_left_alone(tmp_path: Path) -> None:
    values = _values(tmp_path, GOOD)
    assert values.replay.seconds_per_day == 0.5
    assert values.strategies["one"].symbols == ("IBM",)
    assert str(values.costs.schedule().fee_ratio) == "0.0002"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("trading: {replay: {speed: 1}}", "trading.replay.speed: Extra", id="unknown"),
        pytest.param("trading: {risk: {max_orders_per_second: many}}", "max_orders", id="type"),
        pytest.param("trading: {risk: {max_daily_loss: .nan}}", "max_daily_loss", id="NaN"),
        pytest.param("trading: {risk: {max_daily_loss: -1}}", "max_daily_loss", id="negative"),
        pytest.param("trading: {replay: {seconds_per_day: 0}}", "seconds_per_day", id="too fast"),
        pytest.param(
            "trading: {risk: {max_order_quantity: 30000}}", "lower the first", id="unsafe"
        ),
        pytest.param(
            "trading: {strategies: {a: {plugin: momentum, capital: 1, symbols: [XYZ]}}}",
            "replay.symbols has no such",
            id="symbol without data",
        ),
        pytest.param(
            "trading: {risk: {allowed_symbols: [FB]}, "
            "strategies: {a: {plugin: momentum, capital: 1, symbols: [IBM]}}}",
            "allowed_symbols does not allow",
            id="symbol not allowed",
        ),
        pytest.param(
            "trading: {strategies: {Bad Name: {plugin: a, capital: 1}}}", "Bad", id="name"
        ),
        pytest.param("chart: {}", "no part `trading:`", id="no part"),
        pytest.param("- 1", "no part `trading:`", id="a list"),
        pytest.param("trading: [", "is not YAML", id="broken"),
        pytest.param("a: &x [1]\nb: *x", "aliases", id="alias"),
        pytest.param("trading: !!python/object:os.system {}", "is not YAML", id="an object"),
        pytest.param("? [1, 2]\n: 3", "plain value", id="a list as key"),
        pytest.param("[" * 5000, "is not YAML", id="too deep"),
        pytest.param(b"\xff\xfe\x00", "is not", id="not text"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(InvalidSettings, match=words) as caught:
        _values(tmp_path, text)
    assert caught.value.exit_code == 2


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DuplicateKey, match="line 3: key 'risk' stands twice"):
        _values(tmp_path, "trading:\n  risk: {}\n  risk: {}\n")


def test_a_file_that_is_no_plain_small_file_is_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(100_000_000)
    for path, words in (
        (huge, "100000000 bytes; 1000000 are allowed"),
        (tmp_path, "cannot be read|not a plain file"),
        (tmp_path / "missing.yaml", "No such file"),
        (Path("/dev/zero"), "not a plain file"),
    ):
        with pytest.raises(FileUnreadable, match=words):
            load(path)


def test_mappings_are_merged_and_lists_are_replaced() -> None:
    base: dict[str, object] = {"a": {"x": 1, "y": [1, 2]}, "b": 1}
    over: dict[str, object] = {"a": {"y": [3]}, "c": 2}
    assert merged(base, over) == {"a": {"x": 1, "y": [3]}, "b": 1, "c": 2}
    assert base == {"a": {"x": 1, "y": [1, 2]}, "b": 1}
