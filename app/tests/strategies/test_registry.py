"""Strategies are found by name and refuse what they do not understand."""

import sys
from decimal import Decimal
from pathlib import Path

import pytest

from trading.errors import StrategyBroken, StrategyParametersInvalid, StrategyUnknown
from trading.strategies.base import Strategy
from trading.strategies.registry import available, load, load_all
from trading.values import Values


@pytest.mark.parametrize("plugin", available())
def test_every_plug_in_loads_with_its_defaults(plugin: str) -> None:
    strategy = load(plugin)
    assert isinstance(strategy, Strategy)
    assert strategy.name == plugin.replace("_", "-")
    assert strategy.lookback >= 1


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(StrategyUnknown, match="did you mean 'momentum'"):
        load("momentun")


@pytest.mark.parametrize(
    ("plugin", "parameters", "words"),
    [
        ("sma_cross", {"fast": 20, "slow": 5}, "fast 20 must be below slow 5"),
        ("sma_cross", {"fsat": 5}, "fsat: Extra inputs are not permitted; it takes fast, slow"),
        ("sma_cross", {"fast": "five"}, "fast: Input should be a valid integer"),
        ("momentum", {"hold": 0}, "hold: Input should be greater than or equal to 1"),
        ("mean_reversion", {"start": 3, "full": 2}, "start 3 must be below full 2"),
        ("mean_reversion", {"start": "NaN"}, "start: Input should be a finite number"),
    ],
)
def test_wrong_parameters_are_refused_with_their_name(
    plugin: str, parameters: dict[str, object], words: str
) -> None:
    with pytest.raises(StrategyParametersInvalid, match=words):
        load(plugin, parameters)


def test_values_name_instances_and_disabled_ones_stay_out() -> None:
    values = Values.model_validate(
        {
            "strategies": {
                "slow": {"plugin": "sma_cross", "capital": 5, "parameters": {"slow": 90}},
                "fast": {"plugin": "sma_cross", "capital": 7, "symbols": ["IBM"]},
                "off": {"plugin": "momentum", "capital": 1, "enabled": False},
            }
        }
    )
    fast, slow = load_all(values)
    assert (fast.name, fast.capital, fast.symbols) == ("fast", Decimal(7), ("IBM",))
    assert (slow.name, slow.lookback) == ("slow", 91)


PLUG_INS = {
    "no_strategy": "x = 1",
    "cannot_import": "import no_such_module_anywhere",
    "wrong_shape": (
        "from trading.strategies.instance import Parameters\n"
        "class STRATEGY:\n"
        "    Parameters = Parameters\n"
        "    def __init__(self, **fields): pass\n"
    ),
}


@pytest.mark.parametrize("name", sorted(PLUG_INS))
def test_a_broken_plug_in_of_another_distribution_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"other_{name}.py").write_text(PLUG_INS[name])
    info = tmp_path / f"other_{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: other-{name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[trading.strategies]\n{name} = other_{name}\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert name in available()
    with pytest.raises(StrategyBroken, match=name):
        load(name)
