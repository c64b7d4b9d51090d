"""The one engine: bars in, signals out, then orders. Backtest, shadow run and live call this."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from trading.errors import (
    BarOutOfOrder,
    InvalidInput,
    SignalInvalid,
    StrategyError,
    StrategyFailed,
)
from trading.market_data.bars import Bar
from trading.orders.ids import client_order_id
from trading.orders.model import OrderRequest
from trading.orders.validation import demanded
from trading.strategies.base import History, Signal, Strategy

Key = tuple[str, str]
"""(strategy, symbol): positions are kept for each strategy, two may hold the same symbol."""


class StrategyEngine:
    """Gives each strategy, day by day, the history up to that day, and checks its signals."""

    def __init__(
        self,
        strategies: Sequence[Strategy],
        on_failure: Callable[[StrategyError], None] | None = None,
    ) -> None:
        """With `on_failure` a failing strategy is left out that day and reported, else it raises.

        Raises `InvalidInput` when two strategies have the same name.
        """
        names = [strategy.name for strategy in strategies]
        if len(set(names)) < len(names):
            raise InvalidInput(f"strategy names must differ, they are {', '.join(sorted(names))}")
        self._strategies = tuple(strategies)
        self._on_failure = on_failure
        self.lookback = max((strategy.lookback for strategy in strategies), default=1)
        self._days: deque[dict[str, Bar]] = deque(maxlen=self.lookback)

    @property
    def now(self) -> datetime | None:
        """The timestamp of the last day, None before the first."""
        return next(iter(self._days[-1].values())).timestamp if self._days else None

    @property
    def keys(self) -> frozenset[Key]:
        """Every position that its strategies may have."""
        return frozenset(
            (each.name, symbol) for each in self._strategies for symbol in each.symbols
        )

    def warm_up(self, days: Iterable[Sequence[Bar]]) -> None:
        """Days that strategies may look back on but are not asked about: `lookback - 1` suffice."""
        for bars in days:
            self._append(bars)

    def on_day(self, bars: Sequence[Bar]) -> list[Signal]:
        """The signals of one day, in the order of the strategies.

        Raises `BarOutOfOrder`; `StrategyFailed`, `SignalInvalid`, `LookAhead` without `on_failure`.
        """
        if not bars:
            return []
        self._append(bars)
        days = tuple(self._days)
        found: list[Signal] = []
        for strategy in self._strategies:
            try:
                found.extend(self._ask(strategy, days))
            except StrategyError as error:
                if self._on_failure is None:
                    raise
                self._on_failure(error)
        return found

    def _append(self, bars: Sequence[Bar]) -> None:
        if not bars:
            return
        at = bars[0].timestamp
        if self.now is not None and at <= self.now:
            raise BarOutOfOrder(
                f"bars of {at.isoformat()} came after those of {self.now.isoformat()}",
                timestamp=at,
                last=self.now,
            )
        day = {bar.symbol: bar for bar in bars}
        if len(day) < len(bars) or any(bar.timestamp != at for bar in bars):
            raise BarOutOfOrder(
                f"the bars of {at.isoformat()} are not one bar a symbol of the same day",
                timestamp=at,
            )
        self._days.append(day)

    def _ask(self, strategy: Strategy, days: Sequence[Mapping[str, Bar]]) -> list[Signal]:
        history = History(days, strategy.symbols, strategy.lookback)
        try:
            signals = strategy.on_bars(history)
        except StrategyError:
            raise
        except Exception as error:  # whatever foreign code may raise
            raise StrategyFailed(
                f"strategy {strategy.name} failed on the bars of {history.now.isoformat()}: "
                f"{type(error).__name__}: {error}",
                strategy=strategy.name,
                bar_timestamp=history.now,
            ) from error
        _check(strategy, history, signals)
        return signals


def _check(strategy: Strategy, history: History, signals: object) -> None:
    if not isinstance(signals, list):
        raise SignalInvalid(
            f"strategy {strategy.name} returned {type(signals).__name__}, not a list of signals",
            strategy=strategy.name,
        )
    seen: set[str] = set()
    for signal in signals:
        problem = _problem(strategy, history, signal, seen)
        if problem:
            raise SignalInvalid(
                f"strategy {strategy.name}, {history.now.date()}: {problem}",
                strategy=strategy.name,
                bar_timestamp=history.now,
                signal=signal,
            )
        seen.add(signal.symbol)


def _problem(strategy: Strategy, history: History, signal: object, seen: set[str]) -> str:
    if not isinstance(signal, Signal) or signal.strategy != strategy.name:
        return f"{signal!r} is not a signal of this strategy"
    if signal.bar_timestamp != history.now:
        return f"the signal for {signal.symbol} is dated {signal.bar_timestamp}, not today"
    if signal.symbol not in history.symbols:
        return f"{signal.symbol!r} is not one of its symbols that trade today"
    if signal.symbol in seen:
        return f"two signals for {signal.symbol}"
    target = signal.target_quantity
    if not (isinstance(target, Decimal) and target.is_finite()):
        return f"target {target!r} for {signal.symbol} is not a finite Decimal"
    # Found here and not by the venue, which would refuse every order of a release that looks good.
    expected = demanded(abs(target)) if target else ""
    return f"target {target} for {signal.symbol} must be 0 or {expected}" if expected else ""


def orders_for(
    signals: Sequence[Signal],
    positions: Mapping[Key, Decimal],
    working: Mapping[Key, Decimal],
) -> list[OrderRequest]:
    """Market orders that move positions to their targets, sales first: they bring the money.

    `positions` and `working` in shares, negative for short and for sells; `working` is what is sent
    but neither filled nor over. Nothing where the target is reached or on its way.
    """
    orders = []
    for signal in signals:
        key = (signal.strategy, signal.symbol)
        held = positions.get(key, Decimal(0)) + working.get(key, Decimal(0))
        missing = signal.target_quantity - held
        if missing:
            orders.append(_order(signal, missing))
    return sorted(orders, key=lambda order: order.side != "sell")


def _order(signal: Signal, missing: Decimal) -> OrderRequest:
    return OrderRequest(
        client_order_id=client_order_id(
            signal.strategy, signal.symbol, signal.bar_timestamp, signal.target_quantity
        ),
        symbol=signal.symbol,
        side="buy" if missing > 0 else "sell",
        quantity=abs(missing),
        type="market",
        strategy=signal.strategy,
        source="strategy",
        bar_timestamp=signal.bar_timestamp,
    )
