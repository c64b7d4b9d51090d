"""A running sync as a machine: what happened so far and what is live, in; what to do next, out.

No clock, no network, no threads: `moves.py` says how a runtime drives it.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.engine.sync.moves import Do, Limits, Move
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import ResourceResult, SyncPlan


class Machine:
    """One operation. `started_seconds` and `now_seconds` are of one clock that never goes back."""

    def __init__(self, plan: SyncPlan, limits: Limits, *, started_seconds: float) -> None:
        self.plan = plan

    def next(self, live: Mapping[ResourceKey, Resource], now_seconds: float) -> Move:
        """The next move; the same one again while nothing was reported and nothing changed."""
        raise NotImplementedError

    def report(self, do: Do, *, ok: bool, message: str, live: Resource | None = None) -> None:
        """What became of one request; `live` is the object as the API server answered."""
        raise NotImplementedError

    def approve_prunes(self) -> None:
        """Somebody confirmed what `Prune=confirm` holds back."""
        raise NotImplementedError

    def terminate(self, why: str) -> None:
        """End as soon as running hooks are deleted: a person's wish, or a newer commit."""
        raise NotImplementedError

    def results(self) -> tuple[ResourceResult, ...]:
        """What was touched so far, in the order of the plan."""
        raise NotImplementedError
