"""Stored bars: table `trading.bars`, one partition a month. Every function takes a connection.

Reading needs no transaction; writing joins the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from psycopg import Connection, errors, sql

from trading.market_data.bars import Bar

_COLUMNS = "symbol, timestamp, open, high, low, close, volume"
Days = list[tuple[Bar, ...]]


def store(connection: Connection[Any], bars: Sequence[Bar]) -> int:
    """Write bars that are not there yet and return how many; the same bars again change nothing."""
    for month in {(bar.timestamp.year, bar.timestamp.month) for bar in bars}:
        first = datetime(*month, 1, tzinfo=UTC)
        connection.execute("select trading.ensure_bar_partition(%s)", (first,))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"insert into trading.bars ({_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s) "
            "on conflict do nothing",
            [(b.symbol, b.timestamp, b.open, b.high, b.low, b.close, b.volume) for b in bars],
        )
        return cursor.rowcount


def last_days(connection: Connection[Any], count: int, before: datetime | None = None) -> Days:
    """The last `count` days, oldest first; only days before `before` where it is given."""
    rows = connection.execute(
        f"""select {_COLUMNS} from trading.bars where timestamp in (
              select distinct timestamp from trading.bars
              where %(before)s::timestamptz is null or timestamp < %(before)s
              order by timestamp desc limit %(count)s)
            order by timestamp, symbol""",
        {"before": before, "count": count},
    )
    return _days(rows)


def days_between(connection: Connection[Any], first: datetime, last: datetime) -> Days:
    """All days from `first` to `last`, both included, oldest first."""
    rows = connection.execute(
        f"select {_COLUMNS} from trading.bars where timestamp between %s and %s "
        "order by timestamp, symbol",
        (first, last),
    )
    return _days(rows)


def bars_of(connection: Connection[Any], symbol: str, count: int) -> list[Bar]:
    """The last `count` bars of one symbol, oldest first; empty for a symbol without bars."""
    rows = connection.execute(
        f"select {_COLUMNS} from trading.bars where symbol = %s order by timestamp desc limit %s",
        (symbol, count),
    )
    return [_bar(row) for row in rows][::-1]


def count_bars(connection: Connection[Any], at_most: int) -> int:
    """How many bars are stored, counted up to `at_most`: the whole table may be large."""
    row = connection.execute(
        "select count(*) from (select 1 from trading.bars limit %s) as found", (at_most,)
    ).fetchone()
    return int(row[0]) if row else 0


def drop_months_before(connection: Connection[Any], oldest: datetime) -> list[str]:
    """Drop the partitions whose last day is before `oldest`; returns their names.

    A partition that somebody is reading stays until next time: waiting for its lock would make
    every later reader wait too.
    """
    limit = f"bars_{oldest.astimezone(UTC):%Y%m}"
    rows = connection.execute(
        "select relid::regclass::text from pg_partition_tree('trading.bars') where isleaf"
    )
    names = sorted(name.removeprefix("trading.") for (name,) in rows)
    return [name for name in names if name < limit and _drop(connection, name)]


def _drop(connection: Connection[Any], name: str) -> bool:
    try:
        with connection.transaction():
            connection.execute("set local lock_timeout = '100ms'")
            connection.execute(sql.SQL("drop table {}").format(sql.Identifier("trading", name)))
    except errors.LockNotAvailable:
        return False
    return True


def _days(rows: Iterable[Sequence[Any]]) -> Days:
    bars = (_bar(row) for row in rows)
    return [tuple(day) for _, day in groupby(bars, key=lambda bar: bar.timestamp)]


def _bar(row: Sequence[Any]) -> Bar:
    symbol, timestamp, opened, high, low, close, volume = row
    return Bar(symbol, timestamp.astimezone(UTC), opened, high, low, close, volume)
