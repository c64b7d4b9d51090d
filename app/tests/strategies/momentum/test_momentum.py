"""Momentum, on prices made for it."""

from decimal import Decimal

from made_prices import signals

from trading.strategies.registry import load


def test_momentum_holds_the_best_and_only_on_the_first_day_of_a_week() -> None:
    parameters = {"formation": 3, "skip": 0, "hold": 1}
    strategy = load("momentum", parameters, symbols=("AAA", "BBB"), capital=Decimal(1000))
    rising, falling = [10, 11, 12, 13, 14, 15, 16], [20, 19, 18, 17, 16, 15, 14]
    found = signals(strategy, AAA=rising, BBB=falling)
    assert {s.bar_timestamp.day for s in found} == {13}  # the second Monday
    assert [(s.symbol, s.target_quantity) for s in found] == [("AAA", 66), ("BBB", 0)]
    assert found[0].reason == "rank 1 of 2, +25.0% over 3 days"


def test_momentum_holds_nothing_where_everything_falls() -> None:
    strategy = load("momentum", {"formation": 3, "skip": 0, "hold": 1}, symbols=("AAA", "BBB"))
    falling = [20, 19, 18, 17, 16, 15, 14]
    found = signals(strategy, AAA=falling, BBB=falling)
    assert [s.target_quantity for s in found] == [0, 0]
