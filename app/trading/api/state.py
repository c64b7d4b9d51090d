"""What the routes of one process share."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from trading import artifact
from trading.api.metrics import Metrics
from trading.migrations.scripts import required

if TYPE_CHECKING:
    from fastapi import Request

    from trading.api.auth import Gatekeeper
    from trading.api.backtests import Backtests
    from trading.api.database import Database
    from trading.api.gate import Gate
    from trading.api.live import Hub
    from trading.api.order_desk import OrderDesk
    from trading.settings import Settings
    from trading.values import Values


@dataclass(slots=True)
class State:
    """One of it in each process; made by `create_app`."""

    settings: Settings
    values: Values
    gate: Gate
    gatekeeper: Gatekeeper
    database: Database
    hub: Hub
    backtests: Backtests
    orders: OrderDesk
    metrics: Metrics = field(default_factory=Metrics)
    artifact: str = field(default_factory=artifact.digest)
    schema: list[str] = field(default_factory=required)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def version(self) -> dict[str, object]:
        """The body of `/version`: what code this process runs, and what it does with traffic."""
        from trading import __version__

        return {
            "application": "trading",
            "version": __version__,
            "release": self.settings.release,
            "artifact": self.artifact,
            "slot": self.settings.slot,
            "role": "api",
            "environment": self.settings.environment,
            "pid": os.getpid(),
            "started_at": self.started_at.isoformat(),
            "traffic": self.gate.traffic.value,
            "schema": self.schema,
        }


def of(request: Request) -> State:
    """The state of the process that answers this request."""
    state: State = request.app.state.trading
    return state
