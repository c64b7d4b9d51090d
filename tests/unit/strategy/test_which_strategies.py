"""Which strategies a change lets examine, with which settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.model.check import Change
from pipelines.stages.strategy import StrategyStage
from pipelines.stages.strategy_plan import targets, whole_package
from tests.support.repository import Repository

VALUES = """trading:
  strategies:
    one: {plugin: alpha, capital: 5, parameters: {days: 3}}
    two: {plugin: beta, capital: 5}
  costs: {slippage_ratio: 0.1}
"""
FILES = {
    "app/slipway.yaml": "name: trading\n",
    "app/trading/strategies/alpha/__init__.py": "",
    "app/trading/strategies/beta/__init__.py": "",
    "app/trading/strategies/base.py": "",
    "app/trading/api/app.py": "",
    "environments/base/values.yaml": VALUES,
    "environments/dev/values.yaml": "trading: {}\n",
    "environments/production/values.yaml": "trading: {}\n",
}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path, FILES)
    made.branch("feature/x")
    return made


def _chosen(change: Change) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(t.plugin, t.instance, t.environments) for t in targets(change)]


BOTH = ("dev", "production")


def test_its_code_lets_examine_its_instances_once_for_equal_settings(
    repository: Repository,
) -> None:
    repository.commit({"app/trading/strategies/alpha/__init__.py": "x = 1\n"})
    change = repository.change()
    assert StrategyStage().touched(change)
    assert _chosen(change) == [("alpha", "one", BOTH)]
    assert not whole_package(change)
    settings = targets(change)[0].settings.values
    assert settings["trading"]["costs"] == {"slippage_ratio": 0.1}
    assert list(settings["trading"]["strategies"]) == ["one"]


def test_parameters_of_one_environment_are_examined_apart(repository: Repository) -> None:
    over = "trading:\n  strategies:\n    one: {capital: 9}\n"
    repository.commit({"environments/production/values.yaml": over})
    change = repository.change()
    assert _chosen(change) == [("alpha", "one", ("dev",)), ("alpha", "one", ("production",))]
    apart = targets(change)[1]
    assert apart.settings.values["trading"]["strategies"]["one"]["capital"] == 9
    assert apart.before is not None
    assert apart.before.values["trading"]["strategies"]["one"]["capital"] == 5


@pytest.mark.parametrize(
    "files",
    [
        {"app/trading/strategies/base.py": "x = 1\n"},
        {"app/trading/backtest/kernel.py": "x = 1\n"},
        {"app/trading/market_data/sample/stocks.csv.gz": "other prices"},
        {"environments/base/values.yaml": VALUES.replace("0.1", "0.2")},
        {"app/requirements.lock": "x==1\n"},
        {"policies/risk/policy.yaml": "data: {}\n"},
    ],
    ids=str,
)
def test_what_they_share_lets_examine_all(repository: Repository, files: dict[str, str]) -> None:
    repository.commit(files)
    change = repository.change()
    assert StrategyStage().touched(change)
    assert [plugin for plugin, *_ in _chosen(change)] == ["alpha", "beta"]


def test_a_plug_in_that_nobody_runs_is_examined_with_its_defaults(repository: Repository) -> None:
    repository.commit({"app/trading/strategies/gamma/__init__.py": ""})
    change = repository.change()
    assert _chosen(change) == [("gamma", "", ())]
    assert targets(change)[0].name == "gamma"
    assert targets(change)[0].before is None


def test_pages_of_the_api_are_nothing_to_examine(repository: Repository) -> None:
    repository.commit({"app/trading/api/app.py": "x = 1\n", "docs/x.md": ""})
    assert not StrategyStage().touched(repository.change())


def test_a_strategy_that_was_removed_leaves_nothing(repository: Repository) -> None:
    values = VALUES.replace("    two: {plugin: beta, capital: 5}\n", "")
    repository.commit(
        {"app/trading/strategies/beta/__init__.py": None, "environments/base/values.yaml": values}
    )
    change = repository.change()
    assert StrategyStage().touched(change)
    assert _chosen(change) == []
