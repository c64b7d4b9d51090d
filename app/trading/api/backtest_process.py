"""One backtest in a process of its own: `python -m trading.api.backtest_process ID`.

It writes its progress and its result into the row itself, so it does not matter which API process
is asked, or whether the one that started it still lives.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from trading.control.database import connect
from trading.errors import TradingError
from trading.settings import Settings

REPORT_SECONDS = 0.5


def main() -> int:
    """Exit code 0: the row says how it ended, well or badly."""
    os.nice(10)
    settings = Settings.from_environment()
    with connect(settings.need_database_url(), "trading backtest") as connection:
        row = connection.execute(
            """update trading.backtests set state = 'RUNNING', updated_at = clock_timestamp()
            where id = %s and state = 'QUEUED' returning request""",
            (sys.argv[1],),
        ).fetchone()
        if row is None:
            return 1
        try:
            result = _run(row[0], settings, _progress(connection, sys.argv[1]))
            _end(connection, "DONE", "result", result)
        except TradingError as error:
            _end(connection, "FAILED", "error", error.as_dict())
        except Exception as error:
            _end(connection, "FAILED", "error", TradingError(repr(error)[:500]).as_dict())
    return 0


def _run(
    request: dict[str, Any], settings: Settings, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    from trading.backtest import runner
    from trading.market_data.replay import Replay
    from trading.strategies.registry import load
    from trading.values import StrategyValues

    values = settings.values()
    name = request["strategy"]
    known = values.strategies.get(name)
    base = known or StrategyValues(plugin="none", capital=Decimal(100_000))
    strategy = load(
        known.plugin if known else name,
        request["parameters"] if request["parameters"] is not None else base.parameters,
        name=name if known else "",
        symbols=request["symbols"] or base.symbols,
        capital=Decimal(request["capital"]) if request["capital"] else base.capital,
    )
    first = date.fromisoformat(request["from"]) if request["from"] else date.min
    last = date.fromisoformat(request["to"]) if request["to"] else date.max
    replay = Replay(strategy.symbols)
    days = [
        bars
        for bars in replay.days(0, replay.days_per_lap)
        if bars and first <= bars[0].timestamp.date() <= last
    ]
    result = runner.run([strategy], days, values.costs.schedule(), progress).as_dict()
    return {"strategy": strategy.name, "fills_on": "the next bar", **result}


def _progress(connection: psycopg.Connection[Any], number: str) -> Callable[[int, int], None]:
    reported = time.monotonic()

    def report(done: int, of: int) -> None:
        nonlocal reported
        if time.monotonic() - reported < REPORT_SECONDS:
            return
        reported = time.monotonic()
        connection.execute(
            """update trading.backtests set days_done = %s, days = %s,
            updated_at = clock_timestamp() where id = %s""",
            (done, of, number),
        )

    return report


def _end(
    connection: psycopg.Connection[Any], state: str, column: str, document: dict[str, Any]
) -> None:
    connection.execute(
        f"""update trading.backtests set state = %s, {column} = %s, days_done = coalesce(%s,
        days_done), days = coalesce(%s, days), updated_at = clock_timestamp() where id = %s""",  # nosec B608 - the column is a literal of main
        (state, Jsonb(document), document.get("days"), document.get("days"), sys.argv[1]),
    )


if __name__ == "__main__":
    sys.exit(main())
