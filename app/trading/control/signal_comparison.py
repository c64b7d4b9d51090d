"""Comparing the signals of one path with those of another, day by day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.control.checks import Check
from trading.errors import RecordDiffers
from trading.strategies.base import Signal

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """`left` and `right` are targets in shares, None where that path gave no signal."""

    at: datetime
    symbol: str
    left: Decimal | None
    right: Decimal | None

    def __str__(self) -> str:
        return f"{self.at.date()} {self.symbol}: {_words(self.left)} against {_words(self.right)}"


def differences(left: Iterable[Signal], right: Iterable[Signal]) -> list[Difference]:
    """Where the two paths wanted different positions of one strategy, oldest first."""
    lefts, rights = _by_place(left), _by_place(right)
    return [
        Difference(at, symbol, lefts.get((at, symbol)), rights.get((at, symbol)))
        for at, symbol in sorted(lefts.keys() | rights.keys())
        if lefts.get((at, symbol)) != rights.get((at, symbol))
    ]


def compared(
    strategy: str, left: Sequence[Signal], right: Sequence[Signal], days: int, words: str
) -> Check:
    """A check over all signals of `strategy`; `days` is the number of days both paths decided.

    `words` names the two paths, e.g. "live against offline".
    """
    left = [signal for signal in left if signal.strategy == strategy]
    right = [signal for signal in right if signal.strategy == strategy]
    try:
        demand_equal(left, right, words)
    except RecordDiffers as error:
        return Check(f"signals of {strategy}", False, error.message, days)
    message = f"{words}: {len(left)} signals on {days} days, all equal"
    return Check(f"signals of {strategy}", True, message, days)


def demand_equal(left: Sequence[Signal], right: Sequence[Signal], words: str) -> None:
    """Raise `RecordDiffers` with the first differences."""
    found = differences(left, right)
    if found:
        shown = "; ".join(map(str, found[:_SHOWN])) + ("; …" if len(found) > _SHOWN else "")
        raise RecordDiffers(
            f"{words}: {len(found)} of {max(len(left), len(right))} signals differ: {shown}",
            differences=len(found),
        )


def _by_place(signals: Iterable[Signal]) -> dict[tuple[datetime, str], Decimal]:
    return {(s.bar_timestamp, s.symbol): s.target_quantity for s in signals}


def _words(target: Decimal | None) -> str:
    return "no signal" if target is None else f"target {target:f}"
