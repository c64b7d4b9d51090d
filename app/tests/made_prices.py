"""Prices made for a test of one strategy."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from trading.backtest.runner import signals_of
from trading.market_data.bars import Bar
from trading.strategies.base import Signal, Strategy

MONDAY = datetime(2020, 1, 6, 21, tzinfo=UTC)


def signals(strategy: Strategy, **closes: list[float]) -> list[Signal]:
    """What it says on daily closes by symbol, Monday to Friday from 6 January 2020 on."""
    count = max(map(len, closes.values()))
    days = []
    for number in range(count):
        at = MONDAY + timedelta(days=number // 5 * 7 + number % 5)
        days.append(
            tuple(
                Bar(symbol, at, *[Decimal(str(series[number]))] * 4, 1_000)
                for symbol, series in closes.items()
            )
        )
    return signals_of([strategy], days)
