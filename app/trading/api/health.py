"""`/health/live|ready|startup`: whether this process should get requests, and if not, why."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from trading.errors import TradingError
from trading.migrations import needs

if TYPE_CHECKING:
    from trading.api.state import State

Checks = dict[str, dict[str, object]]

REMEMBER_SECONDS = 0.5
_APPLIED = """select coalesce(json_agg(revision), '[]') from slipway.migrations"""


class Health:
    """Asks the database at most twice a second, however many probes come."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._checked_at = 0.0
        self._checks: Checks = {}
        self._started = False

    async def ready(self) -> Checks:
        """Database and schema, as asked at most half a second ago."""
        now = time.monotonic()
        if now - self._checked_at > REMEMBER_SECONDS or not self._checks:
            self._checks = await self._ask()
            self._checked_at = time.monotonic()
        self._started = self._started or good(self._checks)
        return self._checks

    async def startup(self) -> Checks:
        """Stays good once the process was ready for the first time."""
        return {"started": _check()} if self._started else await self.ready()

    async def _ask(self) -> Checks:
        try:
            applied = await self._state.database.fetch(_APPLIED)
            wrong = await self._state.database.fetch(needs.WRONG, {"needed": needs.NEEDED})
        except TradingError as error:
            name = "schema" if error.name == "SCHEMA_MISSING" else "database"
            return {name: _check(error.message)}
        lacking = [revision for revision in self._state.schema if revision not in applied]
        problem = f"the database lacks {', '.join(lacking)}; run: trading migrate up"
        return {
            "database": _check(),
            "schema": _check(problem if lacking else needs.explain(wrong)),
        }


def good(checks: Checks) -> bool:
    return all(check["ok"] for check in checks.values())


def report(checks: Checks) -> dict[str, object]:
    return {"status": "ok" if good(checks) else "failing", "checks": checks}


def _check(problem: str = "") -> dict[str, object]:
    return {"ok": not problem, "message": problem}
