"""A plan: the object that `--dry-run` prints and that gets applied."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class PlanItem:
    """`action` is a step's name (or drift to heal); `change` says what will be different."""

    action: str
    change: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What will happen to an environment. `way_back` tells how it can be undone afterwards."""

    environment: str
    title: str
    release: str
    from_slot: str
    to_slot: str
    items: tuple[PlanItem, ...]
    way_back: str

    @property
    def empty(self) -> bool:
        return not self.items

    @property
    def digest(self) -> str:
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
