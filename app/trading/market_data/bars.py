"""A bar: what one symbol did on one day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from trading.errors import BarInvalid


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices in the instrument's currency, volume in shares; `timestamp` is the day's close, UTC.

    Raises `BarInvalid` when the prices contradict each other: a bar that exists can be trusted.
    """

    symbol: str
    timestamp: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int

    def __post_init__(self) -> None:
        if self.timestamp.utcoffset() != timedelta(0):
            self._refuse("timestamp is not UTC")
        prices = (self.open, self.high, self.low, self.close)
        if not all(price.is_finite() and price > 0 for price in prices):
            self._refuse("prices must be finite and positive")
        if not self.low <= min(self.open, self.close) <= max(self.open, self.close) <= self.high:
            self._refuse("open and close must lie inside low..high")
        if self.volume < 0:
            self._refuse("volume is negative")

    def _refuse(self, reason: str) -> None:
        raise BarInvalid(
            f"bar of {self.symbol} at {self.timestamp.isoformat()}: {reason}",
            symbol=self.symbol,
            timestamp=self.timestamp.isoformat(),
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume,
        )
