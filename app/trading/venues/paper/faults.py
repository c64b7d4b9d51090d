"""What the venue does wrong when it is told to, reproducibly: a seed gives a sequence."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

from trading.errors import InvalidInput
from trading.values import VenueValues


@dataclass(slots=True)
class Faults:
    """Ratios are of orders (reject, drop, error) or of fills (partial)."""

    values: VenueValues
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.values.seed)

    def reject(self) -> bool:
        return self._happens(self.values.reject_ratio)

    def drop_after_accept(self) -> bool:
        return self._happens(self.values.drop_after_accept_ratio)

    def error_after_accept(self) -> bool:
        return self._happens(self.values.error_after_accept_ratio)

    def part_of(self, quantity: Decimal) -> Decimal:
        """Half of a fill of two shares or more, now and then."""
        if quantity >= 2 and self._happens(self.values.partial_ratio):
            return (quantity / 2).to_integral_value(ROUND_DOWN)
        return quantity

    def _happens(self, ratio: Decimal) -> bool:
        return bool(ratio) and self._random.random() < ratio


def parse(document: object) -> VenueValues:
    """Missing keys mean: no such fault. Raises `InvalidInput`."""
    from pydantic import ValidationError

    try:
        return VenueValues.model_validate(document)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}"
            for item in error.errors(include_url=False)
        )
        raise InvalidInput(f"faults are refused: {problems}") from error
