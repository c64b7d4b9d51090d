"""A signal: the position a strategy wants in one symbol after one bar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Signal:
    """`target_quantity` in shares, negative for short; `reason` in words, for `trading why`.

    A target depends on bars and parameters only, never on fills: what was decided live can be
    compared exactly with a backtest over the same bars.
    """

    strategy: str
    symbol: str
    bar_timestamp: datetime
    target_quantity: Decimal
    reason: str
