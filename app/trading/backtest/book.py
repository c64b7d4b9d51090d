"""The money and positions of a backtest, and the trades they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from trading.backtest.kernel import Key
from trading.market_data.bars import Bar
from trading.venues.matching import Execution

_ZERO = Decimal(0)


@dataclass(slots=True)
class Trade:
    """From the first share until the position is zero again; `closed_at` None while it is open.

    Prices are averages over all fills on that side; `profit` is in money, after fees.
    """

    strategy: str
    symbol: str
    direction: str  # long or short
    opened_at: datetime
    closed_at: datetime | None = None
    entered: Decimal = _ZERO  # shares
    left: Decimal = _ZERO
    entry_notional: Decimal = _ZERO
    exit_notional: Decimal = _ZERO
    fees: Decimal = _ZERO

    @property
    def sign(self) -> int:
        return 1 if self.direction == "long" else -1

    @property
    def position(self) -> Decimal:
        """Shares held now, negative for short."""
        return self.sign * (self.entered - self.left)

    @property
    def profit(self) -> Decimal:
        """What the exits brought over what their shares cost, minus all fees so far."""
        if not self.entered:
            return _ZERO
        cost = self.entry_notional * self.left / self.entered
        return self.sign * (self.exit_notional - cost) - self.fees

    def as_dict(self) -> dict[str, object]:
        return {
            "strategy": self.strategy,
            "symbol": self.symbol,
            "direction": self.direction,
            "opened_at": self.opened_at.isoformat(),
            "closed_at": self.closed_at.isoformat() if self.closed_at else None,
            "quantity": str(self.entered),
            "entry_price": _average(self.entry_notional, self.entered),
            "exit_price": _average(self.exit_notional, self.left),
            "fees": str(self.fees),
            "profit": str(round(self.profit, 4)),
        }


@dataclass(slots=True)
class Book:
    """`cash` in money. Trades in the order in which they were opened, open ones included."""

    cash: Decimal
    trades: list[Trade] = field(default_factory=list)
    bought: Decimal = _ZERO  # notional of all purchases
    sold: Decimal = _ZERO
    _open: dict[Key, Trade] = field(default_factory=dict)
    _prices: dict[str, Decimal] = field(default_factory=dict)

    @property
    def positions(self) -> dict[Key, Decimal]:
        """Shares by (strategy, symbol), negative for short; no zeros."""
        return {key: trade.position for key, trade in self._open.items()}

    def apply(self, strategy: str, fill: Execution) -> None:
        """Book one fill. One that crosses zero closes a trade and opens the opposite one."""
        sign = 1 if fill.side == "buy" else -1
        notional = fill.quantity * fill.price
        self.cash -= sign * notional + fill.fee
        if sign > 0:
            self.bought += notional
        else:
            self.sold += notional
        self._book(strategy, fill, sign, fill.quantity, fill.fee)

    def _book(
        self, strategy: str, fill: Execution, sign: int, quantity: Decimal, fee: Decimal
    ) -> None:
        key = (strategy, fill.symbol)
        trade = self._open.get(key)
        if trade is None:
            direction = "long" if sign > 0 else "short"
            trade = Trade(strategy, fill.symbol, direction, fill.bar_timestamp)
            self._open[key] = trade
            self.trades.append(trade)
        if trade.sign == sign:
            trade.entered += quantity
            trade.entry_notional += quantity * fill.price
            trade.fees += fee
            return
        closing = min(quantity, trade.entered - trade.left)
        trade.left += closing
        trade.exit_notional += closing * fill.price
        trade.fees += fee
        if trade.left == trade.entered:
            trade.closed_at = fill.bar_timestamp
            del self._open[key]
        if quantity > closing:  # the fee belongs to the fill and was booked above
            self._book(strategy, fill, sign, quantity - closing, _ZERO)

    def equity(self, bars: Mapping[str, Bar]) -> Decimal:
        """Cash and positions at the newest closes; a suspended symbol keeps its last price."""
        self._prices.update((symbol, bar.close) for symbol, bar in bars.items())
        held = (trade.position * self._prices[symbol] for (_, symbol), trade in self._open.items())
        return self.cash + sum(held, _ZERO)


def _average(notional: Decimal, quantity: Decimal) -> str | None:
    return str(round(notional / quantity, 4)) if quantity else None
