"""The fields every strategy has, and the two calculations every strategy needs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from trading.strategies.base import History, Signal


class Parameters(BaseModel):
    """Base of all parameters: unknown names are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


P = TypeVar("P", bound=Parameters)


@dataclass(frozen=True)
class Instance(Generic[P]):
    """A strategy with its name and parameters; a subclass adds `lookback` and `on_bars`."""

    Parameters: ClassVar[type[Parameters]]

    name: str
    parameters: P
    symbols: tuple[str, ...]
    capital: Decimal

    def signal(self, history: History, symbol: str, target: Decimal, reason: str) -> Signal:
        """A signal of this strategy for today's bar."""
        return Signal(self.name, symbol, history.now, target, reason)


def whole_shares(money: Decimal, price: Decimal) -> Decimal:
    """How many whole shares `money` buys at `price`."""
    return (money / price).to_integral_value(ROUND_DOWN)


def mean(values: tuple[Decimal, ...]) -> Decimal:
    """The arithmetic mean; `values` is not empty."""
    return sum(values, Decimal(0)) / len(values)
