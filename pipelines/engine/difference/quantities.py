"""Amounts as Kubernetes writes them: `1000m` is `1`, `1Gi` is `1024Mi`.

Source of the suffixes: apimachinery, `pkg/api/resource/quantity.go` and `suffix.go`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

BINARY = {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)}
DECIMAL = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10) ** 3, "M": Decimal(10) ** 6, "G": Decimal(10) ** 9, "T": Decimal(10) ** 12,
    "P": Decimal(10) ** 15, "E": Decimal(10) ** 18,
}  # fmt: skip
SUFFIXES = BINARY | DECIMAL
FORM = re.compile(
    r"(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:[eE](?P<power>[+-]?\d{1,3})|(?P<suffix>[A-Za-z]*))"
)


@lru_cache(maxsize=4096)
def amount(text: str) -> Decimal | None:
    """The number behind a quantity; None where the text is none."""
    found = FORM.fullmatch(text)
    if found is None:
        return None
    if found["power"] is not None:
        return Decimal(found["number"]).scaleb(int(found["power"]))
    factor = SUFFIXES.get(found["suffix"])
    return None if factor is None else Decimal(found["number"]) * factor


def same_amount(one: object, other: object) -> bool:
    """Whether two quantities, as strings or numbers, are equal; False where either is none."""
    first, second = amount(_text(one)), amount(_text(other))
    return first is not None and first == second


def _text(value: object) -> str:
    return "" if isinstance(value, bool) or value is None else str(value)
