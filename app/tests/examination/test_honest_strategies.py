"""Ten honest strategies and the three that ship pass."""

from decimal import Decimal
from pathlib import Path

import pytest
from subjects import MATERIAL, examined, package, problems

from trading.examination.examine import Request, examine
from trading.examination.limits import Limits
from trading.examination.package import OWN
from trading.examination.runs import Wanted
from trading.values import SAMPLE_SYMBOLS, Values

HONEST = sorted(path.stem for path in (MATERIAL / "honest").glob("*.py"))
ACCEPTED = {
    "momentum": {  # its capital stays fixed while equity falls
        "max_drawdown": {"most": 0.8},
        "volatility": {"most": 0.45},
        "out_of_sample_sharpe": {"least": 0},
    }
}


def test_there_are_ten() -> None:
    assert len(HONEST) >= 10


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_strategy_passes(name: str, tmp_path: Path) -> None:
    source = (MATERIAL / "honest" / f"{name}.py").read_text()
    found = examined(package(tmp_path, name, source), name, symbols=("GOOG",))
    assert problems(found) == {}
    assert found.ok
    assert found.coverage is not None
    assert found.coverage.signal_bars_replayed == found.coverage.signal_bars > 0
    assert found.coverage.other_bars_replayed == min(50, found.coverage.other_bars)


@pytest.mark.parametrize("plugin", ["mean_reversion", "momentum", "sma_cross"])
def test_a_strategy_that_ships_passes_and_quickly(plugin: str) -> None:
    risk = ACCEPTED.get(plugin)
    wanted = Wanted(plugin, plugin.replace("_", "-"), SAMPLE_SYMBOLS, Decimal(100_000))
    found = examine(
        Request(
            wanted,
            Values().costs.schedule(),
            Limits.model_validate({"limits": risk} if risk else {}),
            OWN,
            OWN,
        )
    )
    assert problems(found) == {}
    assert found.ok
    assert isinstance(found.observed["seconds"], float)
    assert found.observed["seconds"] <= 20
