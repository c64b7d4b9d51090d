"""Each strategy, on prices made for it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from trading.backtest.runner import signals_of
from trading.market_data.bars import Bar
from trading.strategies.base import Signal, Strategy
from trading.strategies.registry import load

MONDAY = datetime(2020, 1, 6, 21, tzinfo=UTC)


def _signals(strategy: Strategy, **closes: list[float]) -> list[Signal]:
    count = max(map(len, closes.values()))
    days = []
    for number in range(count):
        at = MONDAY + timedelta(days=number // 5 * 7 + number % 5)  # Monday to Friday
        days.append(
            tuple(
                Bar(symbol, at, *[Decimal(str(series[number]))] * 4, 1_000)
                for symbol, series in closes.items()
            )
        )
    return signals_of([strategy], days)


def test_sma_cross_buys_on_the_way_up_and_sells_on_the_way_down() -> None:
    strategy = load("sma_cross", {"fast": 1, "slow": 3}, symbols=("AAA",), capital=Decimal(1000))
    found = _signals(strategy, AAA=[10, 9, 8, 12, 13, 14, 9, 8])
    # Day 4: 12 > (9 + 8 + 12) / 3; 1000 / 12 = 83 whole shares. Day 7: 9 < (13 + 14 + 9) / 3.
    assert [(s.bar_timestamp.day, s.target_quantity) for s in found] == [(9, 83), (14, 0)]
    assert found[0].reason == "SMA 1 went above SMA 3"


def test_sma_cross_divides_its_capital_among_its_symbols() -> None:
    strategy = load("sma_cross", {"fast": 1, "slow": 3}, symbols=("AAA", "BBB"))
    found = _signals(strategy, AAA=[10, 9, 8, 12], BBB=[10, 9, 8, 100])
    assert [(s.symbol, s.target_quantity) for s in found] == [("AAA", 4166), ("BBB", 500)]


def test_momentum_holds_the_best_and_only_on_the_first_day_of_a_week() -> None:
    parameters = {"formation": 3, "skip": 0, "hold": 1}
    strategy = load("momentum", parameters, symbols=("AAA", "BBB"), capital=Decimal(1000))
    rising, falling = [10, 11, 12, 13, 14, 15, 16], [20, 19, 18, 17, 16, 15, 14]
    found = _signals(strategy, AAA=rising, BBB=falling)
    assert {s.bar_timestamp.day for s in found} == {13}  # the second Monday
    assert [(s.symbol, s.target_quantity) for s in found] == [("AAA", 66), ("BBB", 0)]
    assert found[0].reason == "rank 1 of 2, +25.0% over 3 days"


def test_momentum_holds_nothing_where_everything_falls() -> None:
    strategy = load("momentum", {"formation": 3, "skip": 0, "hold": 1}, symbols=("AAA", "BBB"))
    falling = [20, 19, 18, 17, 16, 15, 14]
    found = _signals(strategy, AAA=falling, BBB=falling)
    assert [s.target_quantity for s in found] == [0, 0]


def test_mean_reversion_buys_in_steps_below_the_mean_and_sells_at_it() -> None:
    parameters = {"window": 4, "start": 0.5, "full": 1.4, "steps": 2}
    strategy = load("mean_reversion", parameters, symbols=("AAA",), capital=Decimal(1000))
    found = _signals(strategy, AAA=[10, 10, 10, 10, 8, 8, 10, 10])
    # Day 5: mean 9.5, deviation 1, score -1.5: all steps, 125 shares. Day 6: mean 9, score -0.87:
    # one step, half of 125 rounded down. Day 7: mean 9, score +0.87: sold.
    assert [s.target_quantity for s in found] == [125, 62, 0]


def test_mean_reversion_does_nothing_where_prices_stand_still() -> None:
    strategy = load("mean_reversion", {"window": 4}, symbols=("AAA",))
    assert _signals(strategy, AAA=[10] * 12) == []
