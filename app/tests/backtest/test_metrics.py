"""Each metric against a calculation by hand."""

import pytest

from trading.backtest.book import Book
from trading.backtest.metrics import daily_returns, max_drawdown, measure, sharpe
from trading.errors import TooFewBars


def test_drawdown_is_the_largest_fall_from_a_peak_so_far() -> None:
    assert max_drawdown([100, 120, 90, 130, 100]) == pytest.approx(0.25)  # 120 -> 90
    assert max_drawdown([1, 2, 3]) == 0


def test_sharpe_is_mean_over_deviation_a_year() -> None:
    # Returns 1 %, -1 %, 3 %: mean 0.01, sample deviation 0.02; 0.5 * sqrt(252) = 7.937.
    assert sharpe([0.01, -0.01, 0.03]) == pytest.approx(7.937, abs=0.001)
    assert sharpe([0.0, 0.0]) is None


def test_returns_are_from_day_to_day() -> None:
    assert daily_returns([100, 110, 99]) == pytest.approx([0.1, -0.1])


def test_a_year_that_doubles_doubles_a_year() -> None:
    equity = [100 * 2 ** (day / 252) for day in range(253)]
    found = measure(equity, bought=500, sold=1000, profits=[30, 20, -10])
    assert found.total_return == pytest.approx(1)
    assert found.annual_return == pytest.approx(1)
    assert found.turnover == pytest.approx(500 / (sum(equity) / 253))
    assert (found.trades, found.win_rate) == (3, pytest.approx(2 / 3))
    assert found.profit_factor == pytest.approx(5)


def test_ratios_without_a_denominator_are_none() -> None:
    found = measure([100, 100, 100], 0, 0, [])
    assert (found.sharpe, found.win_rate, found.profit_factor) == (None, None, None)


def test_two_days_give_no_statistics() -> None:
    with pytest.raises(TooFewBars, match="3 is the least"):
        measure([100, 101], 0, 0, [])


def test_a_fill_that_crosses_zero_closes_one_trade_and_opens_the_other() -> None:
    from datetime import UTC, datetime
    from decimal import Decimal as D

    from trading.venues.matching import Execution

    book = Book(cash=D(1000))
    at = datetime(2020, 1, 6, tzinfo=UTC)
    book.apply("s", Execution("a", "AAA", "buy", D(10), D(20), D(1), at))
    book.apply("s", Execution("b", "AAA", "sell", D(15), D(22), D(1), at))
    long, short = book.trades
    assert (long.direction, long.profit, long.closed_at) == ("long", D(18), at)  # 10 * 2 - 2 fees
    assert (short.direction, short.position, short.closed_at) == ("short", D(-5), None)
    assert book.positions == {("s", "AAA"): D(-5)}
    assert book.cash == 1000 - 200 + 330 - 2
