"""What a strategy is, and the only view of the market it gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from trading.errors import LookAhead
from trading.market_data.bars import Bar
from trading.strategies.signals import Signal

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["History", "Signal", "Strategy"]


class History:
    """The bars a strategy may know now: the last `lookback` of each symbol, never a later one.

    It holds copies, so that nothing in it changes or grows while a strategy looks at it; and it
    holds no more than the strategy declared, so that a process that started yesterday decides
    exactly like a backtest over ten years.
    """

    __slots__ = ("_bars", "_lookback", "now")

    def __init__(self, bars: Mapping[str, Sequence[Bar]], now: datetime, lookback: int) -> None:
        self.now = now
        self._lookback = lookback
        self._bars = {
            symbol: tuple(bar for bar in series[-lookback:] if bar.timestamp <= now)
            for symbol, series in bars.items()
        }

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols with at least one bar, in alphabetical order."""
        return tuple(sorted(symbol for symbol, series in self._bars.items() if series))

    def bars(self, symbol: str, count: int) -> tuple[Bar, ...]:
        """The last `count` bars, oldest first; fewer where fewer exist.

        Raises `LookAhead` when `count` is more than the strategy's `lookback`, or below 1.
        """
        if not 1 <= count <= self._lookback:
            raise LookAhead(
                f"asked for {count} bars of {symbol}, declared a lookback of {self._lookback}; "
                "raise the strategy's lookback",
                symbol=symbol,
                count=count,
                lookback=self._lookback,
            )
        return self._bars.get(symbol, ())[-count:]

    def closes(self, symbol: str, count: int) -> tuple[Decimal, ...]:
        """The last `count` closing prices, oldest first."""
        return tuple(bar.close for bar in self.bars(symbol, count))

    def traded_now(self, symbol: str) -> bool:
        """Whether the symbol has a bar of this very day; a suspended one gets no signals."""
        series = self._bars.get(symbol, ())
        return bool(series) and series[-1].timestamp == self.now


@runtime_checkable
class Strategy(Protocol):
    """A plug-in: `on_bars` is a pure function of the history it is given.

    name        the instance's name in values.yaml, e.g. `sma-cross`
    parameters  its typed parameters
    symbols     the only symbols it sees and may signal
    lookback    how many bars of each symbol it may look at, the newest included
    capital     money it may use, fixed: targets never depend on fills
    """

    @property
    def name(self) -> str: ...
    @property
    def parameters(self) -> BaseModel: ...
    @property
    def symbols(self) -> tuple[str, ...]: ...
    @property
    def lookback(self) -> int: ...
    @property
    def capital(self) -> Decimal: ...

    def on_bars(self, history: History) -> list[Signal]:
        """The targets that change with the newest bars; an empty list keeps all targets."""
        ...
