"""A backtest counts its money, and fails where it would prove nothing."""

import json
import math
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.backtest.runner import Result, run
from trading.backtest.selftest import hand_calculated
from trading.errors import CostsMissing, NoData, NoSignals, StrategyFailed, TooFewBars
from trading.market_data.replay import Replay
from trading.orders.ids import client_order_id
from trading.strategies.registry import available, load
from trading.values import CostValues
from trading.venues.costs import Costs

DAYS = list(Replay().days(3_000, 270))
COSTS = CostValues().schedule()
FREE = Costs(Decimal(0), Decimal(0), Decimal(0), Decimal(0))


@pytest.fixture(scope="module", params=available())
def result(request: pytest.FixtureRequest) -> Result:
    return run([load(request.param)], DAYS, COSTS)


def test_a_calculation_by_hand_agrees() -> None:
    problems, figures = hand_calculated()
    assert problems == []
    assert figures == 11


def test_a_decision_on_a_close_fills_on_the_next_bar_at_the_earliest(result: Result) -> None:
    opens = {(bar.symbol, bar.timestamp): bar.open for bars in DAYS for bar in bars}
    decided = {
        client_order_id(s.strategy, s.symbol, s.bar_timestamp, s.target_quantity): s.bar_timestamp
        for s in result.signals
    }
    assert result.fills
    for _, fill in result.fills:
        assert decided[fill.client_order_id] < fill.bar_timestamp
        slip = abs(fill.price / opens[fill.symbol, fill.bar_timestamp] - 1)
        assert float(slip) == pytest.approx(float(COSTS.slippage_ratio), rel=0.1)


def test_money_is_neither_made_nor_lost_by_the_book(result: Result) -> None:
    closes = {bar.symbol: bar.close for bars in DAYS for bar in bars}
    cash, held = Decimal(100_000), Decimal(0)
    for _, fill in result.fills:
        sign = 1 if fill.side == "buy" else -1
        cash -= sign * fill.quantity * fill.price + fill.fee
        held += sign * fill.quantity * closes[fill.symbol]
    assert result.equity[-1][1] == cash + held
    assert result.fees == sum(fill.fee for _, fill in result.fills)


def test_the_trades_hold_every_share(result: Result) -> None:
    bought = sum(fill.quantity for _, fill in result.fills if fill.side == "buy")
    assert sum(trade.entered for trade in result.trades) == bought
    closed = [trade for trade in result.trades if trade.closed_at]
    assert closed
    assert all(trade.position == 0 for trade in closed)
    assert result.metrics.trades == len(closed)


def test_the_same_run_gives_the_same_text() -> None:
    first, second = (run([load("momentum")], DAYS, COSTS).as_dict() for _ in range(2))
    assert json.dumps(first) == json.dumps(second)
    assert first["days"] == 270
    assert len(first["equity"]) == 270  # type: ignore[arg-type]  # JSON: an object to mypy


def test_several_strategies_trade_one_portfolio() -> None:
    single = [run([load(plugin)], DAYS, COSTS) for plugin in available()]
    together = run([load(plugin) for plugin in available()], DAYS, COSTS)
    assert len(together.signals) == sum(len(result.signals) for result in single)
    assert together.equity[-1][1] == sum(result.equity[-1][1] for result in single)


def test_higher_costs_leave_less() -> None:
    dear = replace(COSTS, slippage_ratio=Decimal("0.01"))
    cheap, expensive = (run([load("mean_reversion")], DAYS, costs) for costs in (COSTS, dear))
    assert expensive.equity[-1][1] < cheap.equity[-1][1]


def test_progress_is_told_day_by_day() -> None:
    told: list[tuple[int, int]] = []
    run([load("sma_cross")], DAYS[:60], COSTS, lambda done, of: told.append((done, of)))
    assert told == [(number, 60) for number in range(1, 61)]


def test_without_data_it_fails() -> None:
    for nothing in ([], [()]):
        with pytest.raises(NoData, match="2000-03-01"):
            run([load("sma_cross")], nothing, COSTS)


def test_with_fewer_days_than_the_lookback_it_fails() -> None:
    with pytest.raises(TooFewBars, match="21 days are not more than the lookback of 21"):
        run([load("sma_cross")], DAYS[:21], COSTS)


def test_without_costs_it_fails() -> None:
    with pytest.raises(CostsMissing):
        run([load("sma_cross")], DAYS, FREE)


def test_without_signals_it_fails() -> None:
    with pytest.raises(NoSignals, match="no signal in 25 days"):
        run([load("sma_cross", symbols=("NONE",))], DAYS[:25], COSTS)


def test_when_all_capital_is_lost_it_stops() -> None:
    ruinous = replace(COSTS, minimum_fee=Decimal(60_000))
    with pytest.raises(StrategyFailed, match="all capital was lost"):
        run([load("mean_reversion")], DAYS, ruinous)


@settings(max_examples=20)
@given(
    start=st.integers(0, 200),
    length=st.integers(30, 70),
    fee=st.decimals(0, "0.01", places=4),
    slippage=st.decimals("0.0001", "0.02", places=4),
)
def test_equity_is_cash_and_shares_whatever_the_range_and_the_costs(
    start: int, length: int, fee: Decimal, slippage: Decimal
) -> None:
    costs = Costs(fee, Decimal(0), Decimal(0), slippage)
    days = DAYS[start : start + length]
    try:
        result = run([load("mean_reversion", {"window": 5})], days, costs)
    except NoSignals:
        return
    closes = {bar.symbol: bar.close for bars in days for bar in bars}
    open_value = sum(trade.position * closes[trade.symbol] for trade in result.trades)
    spent = sum(
        (1 if fill.side == "buy" else -1) * fill.quantity * fill.price + fill.fee
        for _, fill in result.fills
    )
    assert result.equity[-1][1] == 100_000 - spent + open_value
    assert math.isfinite(result.metrics.volatility)
    assert 0 <= result.metrics.max_drawdown <= 1
