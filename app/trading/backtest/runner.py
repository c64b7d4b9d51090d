"""A backtest: the engine, the fill model and a book, day after day.

A signal made on a day's close becomes an order that fills on the next day's bar at the earliest. A
run that proves nothing fails with the reason: no data, no costs, no signals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal

from trading.backtest.book import Book, Trade
from trading.backtest.kernel import Key, StrategyEngine, orders_for
from trading.backtest.metrics import Metrics, measure
from trading.errors import CostsMissing, NoData, NoSignals, StrategyFailed, TooFewBars
from trading.market_data.bars import Bar
from trading.orders.model import OrderRequest
from trading.strategies.base import Signal, Strategy
from trading.venues.costs import Costs
from trading.venues.matching import Execution, WorkingOrder, match_day

Days = Sequence[Sequence[Bar]]


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that happened. `equity`: (day's close, money), one for each day."""

    strategies: tuple[str, ...]
    bars: int
    signals: tuple[Signal, ...]
    fills: tuple[tuple[str, Execution], ...]  # (strategy, fill)
    trades: tuple[Trade, ...]
    equity: tuple[tuple[datetime, Decimal], ...]
    fees: Decimal
    metrics: Metrics

    def as_dict(self) -> dict[str, object]:
        """The JSON form: the same run gives the same text."""
        return {
            "strategies": list(self.strategies),
            "from": self.equity[0][0].isoformat(),
            "to": self.equity[-1][0].isoformat(),
            "days": len(self.equity),
            "bars": self.bars,
            "signals": len(self.signals),
            "fees": str(self.fees),
            "metrics": asdict(self.metrics),
            "trades": [trade.as_dict() for trade in self.trades],
            "fills": [_fill(strategy, fill) for strategy, fill in self.fills],
            "equity": [[at.isoformat(), str(round(money, 2))] for at, money in self.equity],
        }


def signals_of(strategies: Sequence[Strategy], days: Iterable[Sequence[Bar]]) -> list[Signal]:
    """The signals alone, by the offline path: from nothing, day after day."""
    engine = StrategyEngine(strategies)
    return [signal for bars in days for signal in engine.on_day(bars)]


def run(
    strategies: Sequence[Strategy],
    days: Days,
    costs: Costs,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Trade `strategies` over `days` (oldest first) with their capital as the starting cash.

    `progress(done, all)` is called after each day. Raises `NoData`, `TooFewBars`, `CostsMissing`,
    `NoSignals`, and what the engine raises.
    """
    days = [bars for bars in days if bars]
    _refuse_what_proves_nothing(strategies, days, costs)
    simulation = _Simulation(strategies, costs)
    for number, bars in enumerate(days, start=1):
        simulation.day(bars)
        if progress:
            progress(number, len(days))
    if not simulation.signals:
        raise NoSignals(
            f"no signal in {len(days)} days from {days[0][0].timestamp.date()} to "
            f"{days[-1][0].timestamp.date()}; check symbols, parameters and range",
            strategies=[strategy.name for strategy in strategies],
            days=len(days),
        )
    return simulation.result(sum(map(len, days)))


class _Simulation:
    """One day: fill what was ordered before, value the book, ask the strategies, order."""

    def __init__(self, strategies: Sequence[Strategy], costs: Costs) -> None:
        self.signals: list[Signal] = []
        self._strategies = strategies
        self._costs = costs
        self._engine = StrategyEngine(strategies)
        self._book = Book(cash=sum((s.capital for s in strategies), Decimal(0)))
        self._working: list[tuple[str, WorkingOrder]] = []
        self._fills: list[tuple[str, Execution]] = []
        self._equity: list[tuple[datetime, Decimal]] = []

    def day(self, bars: Sequence[Bar]) -> None:
        by_symbol = {bar.symbol: bar for bar in bars}
        self._fill(by_symbol)
        equity = self._book.equity(by_symbol)
        if equity <= 0:
            raise StrategyFailed(
                f"all capital was lost by {bars[0].timestamp.date()}: equity {equity:.2f}",
                bar_timestamp=bars[0].timestamp,
                equity=equity,
            )
        self._equity.append((bars[0].timestamp, equity))
        signals = self._engine.on_day(bars)
        self.signals.extend(signals)
        orders = orders_for(signals, self._book.positions, self._working_shares())
        self._working.extend((order.strategy, _working(order)) for order in orders)

    def _fill(self, bars: dict[str, Bar]) -> None:
        match = match_day([order for _, order in self._working], bars, self._costs)
        filled = {fill.client_order_id: fill for fill in match.fills}
        still: list[tuple[str, WorkingOrder]] = []
        for strategy, order in self._working:
            fill = filled.get(order.client_order_id)
            if fill is not None:
                self._book.apply(strategy, fill)
                self._fills.append((strategy, fill))
            left = order.quantity - (fill.quantity if fill else 0)
            if left > 0:
                still.append((strategy, order.with_quantity(left)))
        self._working = still

    def _working_shares(self) -> dict[Key, Decimal]:
        shares: dict[Key, Decimal] = {}
        for strategy, order in self._working:
            key = (strategy, order.symbol)
            shares[key] = shares.get(key, Decimal(0)) + order.sign * order.quantity
        return shares

    def result(self, bars: int) -> Result:
        closed = [float(trade.profit) for trade in self._book.trades if trade.closed_at]
        return Result(
            strategies=tuple(strategy.name for strategy in self._strategies),
            bars=bars,
            signals=tuple(self.signals),
            fills=tuple(self._fills),
            trades=tuple(self._book.trades),
            equity=tuple(self._equity),
            fees=sum((fill.fee for _, fill in self._fills), Decimal(0)),
            metrics=measure(
                [float(money) for _, money in self._equity],
                float(self._book.bought),
                float(self._book.sold),
                closed,
            ),
        )


def _refuse_what_proves_nothing(strategies: Sequence[Strategy], days: Days, costs: Costs) -> None:
    if not days:
        raise NoData("there are no bars in this range; the sample data is 2000-03-01..2013-03-01")
    lookback = max((strategy.lookback for strategy in strategies), default=0)
    if len(days) <= lookback:
        raise TooFewBars(
            f"{len(days)} days are not more than the lookback of {lookback}; take a longer range",
            days=len(days),
            lookback=lookback,
        )
    if costs.free:
        raise CostsMissing("fees and slippage are all zero; set at least one of `costs` above 0")


def _working(order: OrderRequest) -> WorkingOrder:
    return WorkingOrder(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
    )


def _fill(strategy: str, fill: Execution) -> dict[str, object]:
    return {
        "strategy": strategy,
        "client_order_id": fill.client_order_id,
        "symbol": fill.symbol,
        "side": fill.side,
        "quantity": str(fill.quantity),
        "price": str(fill.price),
        "fee": str(fill.fee),
        "at": fill.bar_timestamp.isoformat(),
    }
