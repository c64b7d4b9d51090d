"""The engine checks what goes in and what comes out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from trading.backtest.kernel import StrategyEngine, orders_for
from trading.errors import (
    BarOutOfOrder,
    InvalidInput,
    SignalInvalid,
    StrategyError,
    StrategyFailed,
)
from trading.market_data.replay import Replay
from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters
from trading.strategies.registry import load

DAYS = list(Replay().days(3_200, 5))


@dataclass(frozen=True)
class _Scripted(Instance[Parameters]):
    """Returns whatever the script makes of the history."""

    script: Callable[[History], object] = lambda history: []
    lookback = 2

    def on_bars(self, history: History) -> list[Signal]:
        return self.script(history)  # type: ignore[return-value]  # wrong ones are the point


def _scripted(script: Callable[[History], object], name: str = "scripted") -> _Scripted:
    return _Scripted(name, Parameters(), ("AAPL", "IBM"), Decimal(1000), script)


def _signal(history: History, **changes: object) -> Signal:
    good = Signal("scripted", "AAPL", history.now, Decimal(1), "because")
    return replace(good, **changes)  # type: ignore[arg-type]  # wrong ones are the point


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param(lambda h: None, "not a list", id="nothing"),
        pytest.param(lambda h: ["buy"], "not a signal", id="a word"),
        pytest.param(lambda h: [_signal(h, strategy="other")], "not a signal of this", id="other"),
        pytest.param(lambda h: [_signal(h, symbol="MSFT")], "not one of its symbols", id="symbol"),
        pytest.param(
            lambda h: [_signal(h, bar_timestamp=h.now + timedelta(days=1))], "dated", id="tomorrow"
        ),
        pytest.param(
            lambda h: [_signal(h, target_quantity=Decimal("NaN"))], "not a finite", id="NaN"
        ),
        pytest.param(lambda h: [_signal(h, target_quantity=1.5)], "not a finite", id="a float"),
        pytest.param(
            lambda h: [_signal(h, target_quantity=Decimal(1000) / 3)], "6 decimal", id="a third"
        ),
        pytest.param(
            lambda h: [_signal(h, target_quantity=Decimal("-1e10"))], "at most 1000000000", id="all"
        ),
        pytest.param(lambda h: [_signal(h), _signal(h)], "two signals for AAPL", id="twice"),
    ],
)
def test_a_wrong_signal_is_refused(script: Callable[[History], object], words: str) -> None:
    with pytest.raises(SignalInvalid, match=words):
        StrategyEngine([_scripted(script)]).on_day(DAYS[0])


@pytest.mark.parametrize("target", ["0", "-0", "0.000001", "-12.5", "1e9"])
def test_a_target_that_a_venue_takes_is_one(target: str) -> None:
    engine = StrategyEngine([_scripted(lambda h: [_signal(h, target_quantity=Decimal(target))])])
    assert len(engine.on_day(DAYS[0])) == 1


def test_an_exception_in_a_strategy_names_strategy_and_bar() -> None:
    with pytest.raises(StrategyFailed, match=r"scripted failed on the bars of .*ZeroDivisionError"):
        StrategyEngine([_scripted(lambda h: 1 / 0)]).on_day(DAYS[0])


def test_live_a_failing_strategy_is_left_out_and_the_others_go_on() -> None:
    failures: list[StrategyError] = []
    good = _scripted(lambda h: [_signal(h, strategy="good")], "good")
    engine = StrategyEngine([_scripted(lambda h: 1 / 0), good], failures.append)
    assert [signal.strategy for signal in engine.on_day(DAYS[0])] == ["good"]
    assert [failure.code for failure in failures] == [3004]


def test_two_strategies_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidInput, match="must differ"):
        StrategyEngine([load("momentum"), load("momentum")])


def test_days_come_in_order_and_one_at_a_time() -> None:
    engine = StrategyEngine([load("momentum")])
    engine.on_day(DAYS[1])
    for wrong in (DAYS[1], DAYS[0], [*DAYS[2], *DAYS[3]], [DAYS[2][0], DAYS[2][0]]):
        with pytest.raises(BarOutOfOrder):
            engine.on_day(wrong)
    assert engine.now == DAYS[1][0].timestamp
    assert engine.on_day([]) == []


def test_orders_move_positions_to_targets_and_count_what_is_on_its_way() -> None:
    at = DAYS[0][0].timestamp
    signals = [
        Signal("s", "AAA", at, Decimal(10), ""),  # holds 4, 1 on its way: buys 5
        Signal("s", "BBB", at, Decimal(0), ""),  # holds 7: sells 7, before it buys
        Signal("s", "CCC", at, Decimal(3), ""),  # holds 3: nothing
        Signal("s", "DDD", at, Decimal(-2), ""),  # sells 2 short
    ]
    positions = {("s", "AAA"): Decimal(4), ("s", "BBB"): Decimal(7), ("s", "CCC"): Decimal(3)}
    orders = orders_for(signals, positions, {("s", "AAA"): Decimal(1)})
    assert [(o.side, o.symbol, o.quantity) for o in orders] == [
        ("sell", "BBB", 7),
        ("sell", "DDD", 2),
        ("buy", "AAA", 5),
    ]
    assert {order.source for order in orders} == {"strategy"}


def test_the_same_decision_has_the_same_order_id_whatever_is_held() -> None:
    signal = Signal("s", "AAA", DAYS[0][0].timestamp, Decimal(10), "")
    (first,) = orders_for([signal], {}, {})
    (again,) = orders_for([replace(signal, reason="?")], {("s", "AAA"): Decimal(4)}, {})
    (other,) = orders_for([replace(signal, target_quantity=Decimal(11))], {}, {})
    assert first.client_order_id == again.client_order_id != other.client_order_id
