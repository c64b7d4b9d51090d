"""A backtest small enough to calculate by hand, run before anything is trusted to the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from trading.backtest.runner import run
from trading.market_data.bars import Bar
from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters
from trading.venues.costs import Costs

_OPENS_AND_CLOSES = ((100, 101), (102, 104), (110, 108), (90, 95))
_COSTS = Costs(
    fee_ratio=Decimal("0.001"),
    fee_per_share=Decimal(0),
    minimum_fee=Decimal(1),
    slippage_ratio=Decimal("0.01"),
    volume_cap_ratio=Decimal(1),
)


@dataclass(frozen=True)
class _TwoDays(Instance[Parameters]):
    """Wants 10 shares after the first day and none after the third."""

    @property
    def lookback(self) -> int:
        return 1

    def on_bars(self, history: History) -> list[Signal]:
        targets = {_day(0): Decimal(10), _day(2): Decimal(0)}
        target = targets.get(history.now)
        return [] if target is None else [self.signal(history, "TEST", target, "by hand")]


def hand_calculated() -> tuple[list[str], int]:
    """What differs from the calculation by hand, and how many figures were compared.

    Bought on day 2 at 102 * 1.01 = 103.02, fee 10 * 103.02 / 1000 = 1.0302; sold on day 4 at
    90 * 0.99 = 89.10, fee max(1, 0.891) = 1. Equity: 1000; 1000 - 1030.20 - 1.0302 + 10 * 104;
    then + 10 * (108 - 104); at the end 1000 - 1030.20 - 1.0302 + 891 - 1.
    """
    strategy = _TwoDays("by-hand", Parameters(), ("TEST",), Decimal(1000))
    result = run([strategy], [(_bar(day),) for day in range(len(_OPENS_AND_CLOSES))], _COSTS)
    found: dict[str, Sequence[object]] = {
        "prices": [fill.price for _, fill in result.fills],
        "fees": [fill.fee for _, fill in result.fills],
        "fill days": [fill.bar_timestamp for _, fill in result.fills],
        "equity": [money for _, money in result.equity],
        "profit": [trade.profit for trade in result.trades],
    }
    expected: dict[str, Sequence[object]] = {
        "prices": [Decimal("103.02"), Decimal("89.10")],
        "fees": [Decimal("1.0302"), Decimal(1)],
        "fill days": [_day(1), _day(3)],
        "equity": [
            Decimal(1000),
            Decimal("1008.7698"),
            Decimal("1048.7698"),
            Decimal("858.7698"),
        ],
        "profit": [Decimal("-141.2302")],
    }
    problems = [
        f"{name} are {found[name]}, by hand {wanted}"
        for name, wanted in expected.items()
        if found[name] != wanted
    ]
    return problems, sum(map(len, expected.values()))


def _day(number: int) -> datetime:
    return datetime(2020, 1, 6, 21, tzinfo=UTC) + timedelta(days=number)


def _bar(number: int) -> Bar:
    opened, closed = map(Decimal, _OPENS_AND_CLOSES[number])
    return Bar(
        "TEST", _day(number), opened, max(opened, closed), min(opened, closed), closed, 1_000
    )
