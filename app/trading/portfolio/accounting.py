"""What a fill does to a position: average cost, realised profit, fees. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

_PLACES = Decimal("0.00000001")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares (negative: short), their average price, and money earned and paid so far."""

    quantity: Decimal = ZERO
    average_price: Decimal = ZERO
    realized_profit: Decimal = ZERO
    fees: Decimal = ZERO

    def after(self, side: str, quantity: Decimal, price: Decimal, fee: Decimal) -> Holding:
        """The holding after a fill of `quantity` (above 0) at `price`.

        Adding to a position averages its price; reducing it realises profit against that average;
        crossing zero does both, and the rest starts at `price`.
        """
        change = quantity if side == "buy" else -quantity
        total = self.quantity + change
        charged = replace(self, fees=self.fees + fee)
        if self.quantity * change >= 0:
            cost = abs(self.quantity) * self.average_price + quantity * price
            return replace(charged, quantity=total, average_price=_rounded(cost / abs(total)))
        closed = min(quantity, abs(self.quantity))
        direction = 1 if self.quantity > 0 else -1
        profit = (price - self.average_price) * closed * direction
        crossed = total * change > 0
        average = price if crossed else self.average_price if total else ZERO
        return replace(
            charged,
            quantity=total,
            average_price=average,
            realized_profit=_rounded(self.realized_profit + profit),
        )


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(_PLACES, ROUND_HALF_EVEN)
