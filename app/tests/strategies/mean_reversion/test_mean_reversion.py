"""Mean reversion, on prices made for it."""

from decimal import Decimal

from made_prices import signals

from trading.strategies.registry import load


def test_mean_reversion_buys_in_steps_below_the_mean_and_sells_at_it() -> None:
    parameters = {"window": 4, "start": 0.5, "full": 1.4, "steps": 2}
    strategy = load("mean_reversion", parameters, symbols=("AAA",), capital=Decimal(1000))
    found = signals(strategy, AAA=[10, 10, 10, 10, 8, 8, 10, 10])
    # Day 5: mean 9.5, deviation 1, score -1.5: all steps, 125 shares. Day 6: mean 9, score -0.87:
    # one step, half of 125 rounded down. Day 7: mean 9, score +0.87: sold.
    assert [s.target_quantity for s in found] == [125, 62, 0]


def test_mean_reversion_does_nothing_where_prices_stand_still() -> None:
    strategy = load("mean_reversion", {"window": 4}, symbols=("AAA",))
    assert signals(strategy, AAA=[10] * 12) == []
