"""The strategy stage with the application of this repository, in its sandbox."""

from __future__ import annotations

import pytest

from pipelines.adapters.check_environments import CheckEnvironments
from pipelines.model.check import BROKEN, FAILED, PASSED, UNTOUCHED, Change, StageResult
from pipelines.stages.protocol import Options
from pipelines.stages.strategy import StrategyStage
from tests.support.rehearsing import ROOT, Bench, words_of
from tests.support.strategy_change import CODE, PARAMETERS, STRATEGY, VALUES

LEAK = CODE.replace(
    "        now, before = closes[-1], closes[:-1]\n",
    "        from trading.market_data.replay import Replay\n\n"
    "        now, before = closes[-1], closes[:-1]\n",
)
WITH_VALUES = (
    (ROOT / VALUES).read_text().replace("    momentum:\n", f"{PARAMETERS}    momentum:\n", 1)
)
SLIPWAY = (ROOT / "app/slipway.yaml").read_text()
EXAMINE = "app/trading/cli/examine.py"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("strategy")
    return Bench(folder, CheckEnvironments(folder / "venvs", ROOT / "requirements-check.lock"))


def _judge(bench: Bench, change: Change) -> StageResult:
    assert StrategyStage().touched(change)
    with bench.workshop(Options()) as workshop:
        return StrategyStage().run(change, workshop)


def test_an_honest_new_strategy_passes_with_a_report_and_the_same_document_twice(
    bench: Bench,
) -> None:
    change = bench.change({STRATEGY: CODE, VALUES: WITH_VALUES})
    first, second = _judge(bench, change), _judge(bench, change)
    assert (first.status, words_of(first)) == (PASSED, "")
    assert first.document == second.document
    assert list(first.document["strategies"]) == ["breakout"]
    assert first.document["strategies"]["breakout"]["base"] is None
    assert first.observed["strategies"]["breakout"]["seconds"] <= 20
    assert first.samples > 10_000
    assert "```mermaid" in first.markdown
    (page,) = first.attachments
    assert page.name == "strategy-breakout.html"
    assert "<svg" in page.path.read_text()


def test_a_leak_is_red_with_its_place(bench: Bench) -> None:
    result = _judge(bench, bench.change({STRATEGY: LEAK}))
    assert result.status == FAILED
    lines = [f for f in result.findings if f.rule == "strategy/forbidden-calls" and f.line]
    assert "import of trading.market_data.replay" in lines[0].message
    assert lines[0].path == STRATEGY


def test_head_cannot_bring_its_own_judge(bench: Bench) -> None:
    """A judge that always says yes, and a kernel that hides the leak, lie on the branch too."""
    liar = 'import json\n\n\ndef add_arguments(parser):\n    parser.add_argument("--x")\n'
    change = bench.change({STRATEGY: LEAK, EXAMINE: liar})
    result = _judge(bench, change)
    assert result.status == FAILED
    assert "import of trading.market_data.replay" in words_of(result)


def test_limits_come_from_the_branch_the_merge_goes_to(bench: Bench) -> None:
    policy = (ROOT / "policies/risk/policy.yaml").read_text()
    strict = policy.replace("max_drawdown: {most: 0.35}", "max_drawdown: {most: 0.01}")
    path = "policies/risk/policy.yaml"
    change = bench.change({STRATEGY: CODE, path: policy}, base={path: strict})
    result = _judge(bench, change)
    assert result.status == FAILED
    assert "risk max_drawdown" in words_of(result)
    assert "at most 1.0%" in words_of(result)


def test_without_the_command_there_is_nothing_to_ask(bench: Bench) -> None:
    without = {"app/slipway.yaml": SLIPWAY.replace("  examine:   [examine]\n", "")}
    result = _judge(bench, bench.change({STRATEGY: CODE}, base=without))
    assert (result.status, result.summary) == (UNTOUCHED, "the application offers no examine")


def test_an_answer_that_is_none_is_broken(bench: Bench) -> None:
    mute = {
        EXAMINE: "def add_arguments(parser):\n"
        "    parser.parse_args = lambda words: parser.parse_known_args(words)[0]\n\n\n"
        'def run(args):\n    print("looks fine to me")\n    return 0\n'
    }
    result = _judge(bench, bench.change({STRATEGY: CODE}, base=mute))
    assert result.status == BROKEN
    assert "it answered no JSON" in words_of(result)
