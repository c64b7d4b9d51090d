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
    """The bars a strategy may know now: those of the last `lookback` days, never a later one.

    Later days cannot be reached because they are not here: the engine makes a new `History` each
    day from the days it was given so far. Nor are days before the lookback here, so a process that
    started yesterday decides exactly like a backtest over ten years.
    """

    __slots__ = ("_bars", "_lookback", "now")

    def __init__(
        self, days: Sequence[Mapping[str, Bar]], symbols: Sequence[str], lookback: int
    ) -> None:
        """`days`: bars by symbol, oldest day first, the last one is now and is not empty."""
        self.now: datetime = next(iter(days[-1].values())).timestamp
        self._lookback = lookback
        window = days[-lookback:]
        self._bars = {
            symbol: tuple(day[symbol] for day in window if symbol in day) for symbol in symbols
        }

    @property
    def symbols(self) -> tuple[str, ...]:
        """The strategy's symbols that have a bar today; a suspended one gets no signal."""
        return tuple(
            symbol for symbol, bars in self._bars.items() if bars and bars[-1].timestamp == self.now
        )

    def bars(self, symbol: str, count: int) -> tuple[Bar, ...]:
        """The last `count` bars, oldest first; empty where the window holds fewer.

        All or nothing: an average over fewer bars than meant is a silent error.
        Raises `LookAhead` when `count` is more than the strategy's `lookback`, or below 1.
        """
        if not 1 <= count <= self._lookback:
            raise LookAhead(
                f"asked for {count} bars of {symbol}, declared a lookback of {self._lookback}; "
                "ask for less or raise the strategy's lookback",
                symbol=symbol,
                count=count,
                lookback=self._lookback,
            )
        found = self._bars.get(symbol, ())
        return found[-count:] if len(found) >= count else ()

    def closes(self, symbol: str, count: int) -> tuple[Decimal, ...]:
        """The last `count` closing prices, oldest first; empty where the window holds fewer."""
        return tuple(bar.close for bar in self.bars(symbol, count))


@runtime_checkable
class Strategy(Protocol):
    """A plug-in: `on_bars` is a pure function of the history it is given.

    name        the instance's name in values.yaml, e.g. `sma-cross`
    parameters  its typed parameters
    symbols     the only symbols it sees and may signal
    lookback    how many days it may look at, today included
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
        """The targets that change with today's bars; an empty list keeps all targets."""
        ...
