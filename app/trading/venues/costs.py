"""What a fill costs. The same figures in a backtest and in the paper venue."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

_CENT_HUNDREDTH = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Costs:
    """Ratios are of the notional (0.0002 = 2 basis points), money is per share or per fill."""

    fee_ratio: Decimal
    fee_per_share: Decimal
    minimum_fee: Decimal
    slippage_ratio: Decimal
    volume_cap_ratio: Decimal = Decimal("0.1")  # largest part of a bar's volume all fills get

    @property
    def free(self) -> bool:
        """Neither fees nor slippage: such a backtest says nothing about trading."""
        return not (self.fee_ratio or self.fee_per_share or self.minimum_fee or self.slippage_ratio)

    def fee(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Money for one fill, at least the minimum fee, to 1/100 of a cent."""
        fee = self.fee_per_share * quantity + self.fee_ratio * quantity * price
        return max(self.minimum_fee, fee).quantize(_CENT_HUNDREDTH, ROUND_HALF_EVEN)

    def slipped(self, price: Decimal, sign: int) -> Decimal:
        """`price` moved against the trader: up for a buy (`sign` +1), down for a sell (-1)."""
        slipped = price * (1 + sign * self.slippage_ratio)
        return max(slipped.quantize(_CENT_HUNDREDTH, ROUND_HALF_EVEN), _CENT_HUNDREDTH)
