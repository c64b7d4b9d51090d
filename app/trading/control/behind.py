"""Days that the venue has left behind already: the ledger was restored, the venue's book was not.

Orders and positions come back from the book at once, as they are now; the days come again one by
one. Decided against those positions a day of then would trade once more, so it is only written,
with a mark. On the first day that is not behind the newest target of each position is wanted,
whichever day decided it. Its order keeps the id of that signal: where it was placed before, it is
still the same order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from trading.backtest.kernel import Key
from trading.control.lease import FENCE, Lease
from trading.strategies.base import Signal

_MARK = f"""
with {FENCE}
insert into trading.events (kind, payload) select 'behind', %(mark)s from fence
"""

_MARKED = "select exists (select 1 from trading.events where kind = 'behind' and payload = %s)"

_TARGETS = """
select distinct on (strategy, symbol) strategy, symbol, bar_timestamp, target_quantity, reason
from trading.signals order by strategy, symbol, bar_timestamp desc
"""


def mark(connection: Connection[Any], lease: Lease, day: datetime) -> None:
    """Note, with the day itself, that its orders are owed. Without the lease nothing is written."""
    connection.execute(_MARK, {**lease.values(), "mark": _mark(day)})


def marked(connection: Connection[Any], completed: datetime | None) -> bool:
    """Whether the last completed day was behind: then what it owed comes with the next one."""
    if completed is None:
        return False
    row = connection.execute(_MARKED, [_mark(completed)]).fetchone()
    return row is not None and bool(row[0])


def newest_targets(
    connection: Connection[Any], today: Sequence[Signal], keys: Collection[Key]
) -> list[Signal]:
    """The newest signal of each of `keys` that has one, those of `today` included."""
    newest = {
        (strategy, symbol): Signal(strategy, symbol, at.astimezone(UTC), target, reason)
        for strategy, symbol, at, target, reason in connection.execute(_TARGETS)
    }
    newest.update({(signal.strategy, signal.symbol): signal for signal in today})
    return [signal for key, signal in sorted(newest.items()) if key in keys]


def _mark(day: datetime) -> Jsonb:
    return Jsonb({"bar_timestamp": day.astimezone(UTC).isoformat()})
