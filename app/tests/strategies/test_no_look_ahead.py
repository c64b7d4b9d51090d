"""What a strategy decides on a day does not depend on any later day, nor on when it started."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.backtest.kernel import StrategyEngine
from trading.backtest.runner import signals_of
from trading.control.shadow import compare_paths, live_signals
from trading.errors import LookAhead
from trading.market_data.bars import Bar
from trading.market_data.replay import Replay
from trading.strategies.base import History, Signal, Strategy
from trading.strategies.instance import Instance, Parameters
from trading.strategies.registry import available, load

SMALL: Mapping[str, dict[str, object]] = {
    "sma_cross": {"fast": 2, "slow": 6},
    "momentum": {"formation": 5, "skip": 1, "hold": 1},
    "mean_reversion": {"window": 5, "steps": 3},
}
"""Parameters for little data. A strategy that is not here is tested with its default ones."""
SAMPLE = list(Replay().days(3_000, 120))
plugins = pytest.mark.parametrize("plugin", available())


prices = st.integers(min_value=100, max_value=100_000).map(lambda cents: Decimal(cents) / 100)


@st.composite
def markets(draw: st.DrawFn) -> list[tuple[Bar, ...]]:
    """Up to 40 days of up to three symbols, any of which may be suspended on a day."""
    start = datetime(2020, 1, 1, 21, tzinfo=UTC)
    days = []
    for number in range(draw(st.integers(8, 40))):
        symbols = draw(st.sets(st.sampled_from(("AAA", "BBB", "CCC")), min_size=1))
        at = start + timedelta(days=number)
        days.append(tuple(_bar(draw, symbol, at) for symbol in sorted(symbols)))
    return days


def _bar(draw: st.DrawFn, symbol: str, at: datetime) -> Bar:
    opened, closed = draw(prices), draw(prices)
    return Bar(symbol, at, opened, max(opened, closed), min(opened, closed), closed, 1_000)


def _strategy(plugin: str) -> Strategy:
    return load(plugin, SMALL.get(plugin), symbols=("AAA", "BBB", "CCC"))


@plugins
@settings(max_examples=100)
@given(days=markets(), data=st.data())
def test_cutting_off_later_days_changes_no_earlier_signal(
    plugin: str, days: list[tuple[Bar, ...]], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(days)))
    strategy = _strategy(plugin)
    last = days[cut - 1][0].timestamp
    whole = [signal for signal in signals_of([strategy], days) if signal.bar_timestamp <= last]
    assert signals_of([strategy], days[:cut]) == whole


@plugins
@settings(max_examples=50)
@given(days=markets())
def test_a_process_that_just_started_decides_like_one_that_always_ran(
    plugin: str, days: list[tuple[Bar, ...]]
) -> None:
    strategy = _strategy(plugin)
    start = min(strategy.lookback - 1, len(days) - 1)
    since = days[start][0].timestamp
    always = [s for s in signals_of([strategy], days) if s.bar_timestamp >= since]
    assert live_signals(strategy, days, start) == always


@plugins
def test_real_prices_truncated_at_every_bar_give_the_same_signals(plugin: str) -> None:
    strategy = load(plugin, SMALL.get(plugin))
    days = list(Replay().days(2_000, max(120, 3 * strategy.lookback)))
    whole = signals_of([strategy], days)
    assert whole, "a comparison of nothing proves nothing"
    for cut in range(1, len(days) + 1):
        now = days[cut - 1][0].timestamp
        signals = signals_of([strategy], days[:cut])
        assert signals == [s for s in whole if s.bar_timestamp <= now]


@dataclass(frozen=True)
class _Greedy(Instance[Parameters]):
    """Asks for one day more than it declared."""

    lookback = 3

    def on_bars(self, history: History) -> list[Signal]:
        history.closes(self.symbols[0], 4)
        return []


@dataclass(frozen=True)
class _Remembering(Instance[Parameters]):
    """Keeps its own memory: it decides by how many days it has lived."""

    lookback = 2
    lived: list[int] = None  # type: ignore[assignment]  # the base has defaults before it

    def on_bars(self, history: History) -> list[Signal]:
        self.lived.append(1)
        target = Decimal(len(self.lived) % 3)
        return [self.signal(history, symbol, target, "mood") for symbol in history.symbols]


def test_asking_for_more_than_declared_is_refused() -> None:
    strategy = _Greedy("greedy", Parameters(), ("AAPL",), Decimal(1000))
    with pytest.raises(LookAhead, match="asked for 4 bars of AAPL, declared a lookback of 3"):
        signals_of([strategy], SAMPLE)


def test_a_strategy_with_a_memory_fails_the_shadow_run() -> None:
    strategy = _Remembering("moody", Parameters(), ("AAPL",), Decimal(1000), [])
    check = compare_paths(strategy, SAMPLE, 40)
    assert not check.ok
    assert "signals differ" in check.message
    assert check.samples == 40


def test_a_history_shows_declared_symbols_of_the_window_only() -> None:
    days: Sequence[dict[str, Bar]] = [{bar.symbol: bar for bar in bars} for bars in SAMPLE[:10]]
    history = History(days, ("AAPL", "FB"), 4)
    assert history.now == SAMPLE[9][0].timestamp
    assert history.symbols == ("AAPL",)  # FB did not trade yet
    assert [bar.timestamp for bar in history.bars("AAPL", 4)] == [
        bars[0].timestamp for bars in SAMPLE[6:10]
    ]
    assert history.bars("IBM", 2) == ()
    assert history.bars("FB", 1) == ()


def test_a_change_in_the_past_may_change_signals() -> None:
    """The tests above would also pass on strategies that never look at anything."""
    for plugin, parameters in SMALL.items():
        strategy = load(plugin, parameters)
        changed = [
            tuple(
                replace(bar, open=bar.low, close=bar.low) if number % 7 == 0 else bar
                for bar in bars
            )
            for number, bars in enumerate(SAMPLE)
        ]
        assert signals_of([strategy], changed) != signals_of([strategy], SAMPLE)


def test_warm_up_of_the_lookback_is_enough() -> None:
    strategy = load("sma_cross")
    engine = StrategyEngine([strategy])
    engine.warm_up(SAMPLE[60 - engine.lookback + 1 : 60])
    found = [signal for bars in SAMPLE[60:] for signal in engine.on_day(bars)]
    since = SAMPLE[60][0].timestamp
    assert found == [s for s in signals_of([strategy], SAMPLE) if s.bar_timestamp >= since]
