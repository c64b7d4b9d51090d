"""Trend following, on prices made for it."""

from decimal import Decimal

from made_prices import signals

from trading.strategies.registry import load


def test_sma_cross_buys_on_the_way_up_and_sells_on_the_way_down() -> None:
    strategy = load("sma_cross", {"fast": 1, "slow": 3}, symbols=("AAA",), capital=Decimal(1000))
    found = signals(strategy, AAA=[10, 9, 8, 12, 13, 14, 9, 8])
    # Day 4: 12 > (9 + 8 + 12) / 3; 1000 / 12 = 83 whole shares. Day 7: 9 < (13 + 14 + 9) / 3.
    assert [(s.bar_timestamp.day, s.target_quantity) for s in found] == [(9, 83), (14, 0)]
    assert found[0].reason == "SMA 1 went above SMA 3"


def test_sma_cross_divides_its_capital_among_its_symbols() -> None:
    strategy = load("sma_cross", {"fast": 1, "slow": 3}, symbols=("AAA", "BBB"))
    found = signals(strategy, AAA=[10, 9, 8, 12], BBB=[10, 9, 8, 100])
    assert [(s.symbol, s.target_quantity) for s in found] == [("AAA", 4166), ("BBB", 500)]
