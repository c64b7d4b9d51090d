"""The two slots of an environment, and what a branch says lies in them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Slot(StrEnum):
    """`blue` or `green`: one is active, the other idle (next release or way back)."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> Slot:
        return Slot.GREEN if self is Slot.BLUE else Slot.BLUE


@dataclass(frozen=True, slots=True)
class SlotContent:
    """A release in a slot, as `release.yaml` names it."""

    release: str
    version: str
    source_commit: str
