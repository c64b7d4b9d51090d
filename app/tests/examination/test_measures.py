"""Figures against numbers computed by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from trading.backtest.metrics import measure
from trading.backtest.runner import Result
from trading.examination.measures import (
    expected_shortfall,
    exposures,
    monthly_returns,
    split,
    value_at_risk,
)
from trading.market_data.bars import Bar
from trading.orders.model import Side
from trading.venues.matching import Execution

START = datetime(2020, 1, 30, 21, tzinfo=UTC)


def test_value_at_risk_is_the_kth_largest_loss_and_shortfall_their_mean() -> None:
    # 40 days: 5 % are the worst 2, -4 % and -2 %.
    returns = [0.01] * 37 + [-0.02, -0.04, -0.01]
    assert value_at_risk(returns) == pytest.approx(0.02)
    assert expected_shortfall(returns) == pytest.approx(0.03)


def test_a_run_without_losses_risks_nothing() -> None:
    assert value_at_risk([0.01, 0.02]) == 0
    assert expected_shortfall([0.01, 0.02]) == 0


def test_leverage_counts_long_and_short_at_the_close() -> None:
    days = [_bars(number, a, b) for number, (a, b) in enumerate([(10, 20), (10, 20), (12, 20)])]
    fills = (_fill("AAA", "buy", 5, 1), _fill("BBB", "sell", 2, 1))
    equity = [(bars[0].timestamp, Decimal(100)) for bars in days]
    # Day 1: 5 * 10 + 2 * 20 = 90; day 2: 5 * 12 + 2 * 20 = 100.
    assert exposures(_result(equity, fills), days) == pytest.approx([0, 0.9, 1.0])


def test_the_split_gives_each_side_its_own_sharpe_and_the_seam_to_the_second() -> None:
    money = [100, 110, 99, 108.9, 108.9, 119.79]
    parts = split([(_day(n), Decimal(str(m))) for n, m in enumerate(money)], 0.5)
    assert (parts.in_days, parts.out_days, parts.first_day) == (3, 3, _day(3))
    # In: +10 %, -10 %, mean 0. Out: +10 %, 0 %, +10 %: mean 1/15, deviation 1/sqrt(300).
    assert parts.in_sharpe == pytest.approx(0, abs=1e-12)
    assert parts.out_sharpe == pytest.approx((1 / 15) * 300**0.5 * 252**0.5)
    assert parts.out_return == pytest.approx(0.21)
    assert parts.out_max_drawdown == 0
    assert parts.degradation == pytest.approx(-(parts.out_sharpe or 0), abs=1e-9)


def test_months_chain_from_the_last_day_of_the_month_before() -> None:
    equity = [(_day(n), Decimal(m)) for n, m in enumerate((100, 110, 121, 99))]
    months = monthly_returns(equity)  # 30 and 31 January, 1 and 2 February
    assert months == pytest.approx({(2020, 1): 0.10, (2020, 2): -0.10})


def _day(number: int) -> datetime:
    return START + timedelta(days=number)


def _bars(number: int, *closes: int) -> tuple[Bar, ...]:
    return tuple(
        Bar(symbol, _day(number), *[Decimal(close)] * 4, 100)
        for symbol, close in zip(("AAA", "BBB"), closes, strict=True)
    )


def _fill(symbol: str, side: Side, quantity: int, day: int) -> tuple[str, Execution]:
    fill = Execution("id", symbol, side, Decimal(quantity), Decimal(1), Decimal(0), _day(day))
    return "test", fill


def _result(
    equity: list[tuple[datetime, Decimal]], fills: tuple[tuple[str, Execution], ...]
) -> Result:
    money = [float(value) for _, value in equity]
    return Result(("test",), 1, (), fills, (), tuple(equity), Decimal(0), measure(money, 1, 1, []))
