"""The values of every environment, as the application will read them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from trading.control.validation import validate
from trading.settings import Settings
from trading.values import merged, parse
from trading.yaml_file import read_yaml

FOLDER = Path(__file__).parents[2] / "environments"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the application stands alone here, without environments"
)
NAMES = ("dev", "staging", "production")


def _merged(name: str) -> dict[str, Any]:
    base, over = read_yaml(FOLDER / "base/values.yaml"), read_yaml(FOLDER / name / "values.yaml")
    assert isinstance(base, dict)
    assert isinstance(over, dict)
    return merged(base, over)


@pytest.mark.parametrize("name", NAMES)
def test_they_pass_the_application_s_own_validation(name: str, tmp_path: Path) -> None:
    import yaml

    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(_merged(name)))
    settings = Settings.from_environment({"SLIPWAY_VALUES": str(file)})
    failed = [check for check in validate(settings, with_database=False) if not check.ok]
    assert failed == []
    assert {"sma-cross", "momentum", "mean-reversion"} <= set(settings.values().strategies)


def test_dev_lets_a_load_test_of_150_orders_a_second_through() -> None:
    risk = parse(_merged("dev")["trading"], "dev").risk
    assert risk.max_orders_per_second >= 300
    assert risk.max_position_quantity >= 10_000_000


def test_an_environment_s_file_says_only_what_differs_from_base() -> None:
    base = read_yaml(FOLDER / "base/values.yaml")
    for name in NAMES:
        assert _repeated(base, read_yaml(FOLDER / name / "values.yaml")) == []


def _repeated(base: object, over: object, place: str = "") -> list[str]:
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return [
            found
            for key in over.keys() & base.keys()
            for found in _repeated(base[key], over[key], f"{place}.{key}")
        ]
    return [place] if base == over else []
