"""Moving activity and the trading lease to a slot: one transaction, by compare-and-set.

The same transaction writes `slipway.active` and takes the lease from whoever holds it, so there is
no moment in which two slots may trade. A holder that stopped in the middle of a statement cannot
hold this up: its connection is ended.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from trading.errors import LockTimeout, SwitchRefused

_REFUSALS = {"SW001": "STALE_TOKEN", "SW002": "STALE_EPOCH", "SW003": "OTHER_OPERATION"}
_LOCK_NOT_AVAILABLE = "55P03"
_ATTEMPTS = 20

_SWITCH = """select (slipway.switch(%(to)s, %(release)s, %(operation)s, %(commit)s, %(token)s,
  %(expect_epoch)s, %(state)s, %(confirm_by)s, %(published)s, %(reason)s)).*"""

_MOVE_LEASE = """
insert into trading.lease as l (slot, holder, timeline, epoch, acquired_at, heartbeat_at)
values (%(to)s, null, trading.timeline(), 1, null, null)
on conflict (only_row) do update set slot = excluded.slot, holder = null,
  timeline = excluded.timeline, epoch = l.epoch + 1, acquired_at = null, heartbeat_at = null
"""

# Waiting is over when the time-out is raised, so nobody is listed as blocked any more: every trader
# that is inside a transaction goes. What it wrote there is undone with it.
_END_BLOCKERS = """
select pg_terminate_backend(pid, 1000) from pg_stat_activity
where application_name like 'trading trader%' and xact_start is not null
  and pid <> pg_backend_pid() and datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class Switch:
    """What is asked for; `operation` makes repeating it harmless."""

    to: str
    release: str
    operation: str
    commit: str
    token: int
    expect_epoch: int
    state: str
    confirm_by: datetime | None = None
    published: bool = True
    reason: str = ""


Row = dict[str, Any]


def show(connection: psycopg.Connection[Any]) -> Row | None:
    """The active row, or None before the first switch."""
    if _regclass(connection, "slipway.active") is None:
        return None
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("select * from slipway.active").fetchone()
    return _plain(row) if row else None


def switch(connection: psycopg.Connection[Any], wanted: Switch) -> Row:
    """The row afterwards. Raises `SwitchRefused` (stale token or epoch), `LockTimeout`."""
    values = {name: getattr(wanted, name) for name in Switch.__slots__}
    for _ in range(_ATTEMPTS):
        try:
            return _switch_once(connection, values)
        except psycopg.Error as error:
            if error.sqlstate in _REFUSALS:
                raise _refused(error) from error
            if error.sqlstate != _LOCK_NOT_AVAILABLE:
                raise
            time.sleep(0.02)
    raise LockTimeout("the lease stays locked; see pg_stat_activity, then try again")


def confirm(connection: psycopg.Connection[Any], operation: str, token: int) -> Row:
    """Raises `SwitchRefused` when the row belongs to another operation or a newer token."""
    return _call(connection, "confirm", operation, token)


def published(connection: psycopg.Connection[Any], operation: str, token: int) -> Row:
    """The branch names what the row says. Raises `SwitchRefused`."""
    return _call(connection, "published", operation, token)


def _switch_once(connection: psycopg.Connection[Any], values: Row) -> Row:
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('slipway.active'))")
        before = cursor.execute("select * from slipway.active").fetchone()
        if before and before["operation"] == values["operation"]:
            return _plain(before)
        row = cursor.execute(_SWITCH, values).fetchone()
        assert row is not None  # the function returns the row or raises
        if _regclass(connection, "trading.lease") is not None:
            cursor.execute("set local lock_timeout = '100ms'")
            _take_lease_away(connection, values)
        return _plain(row)


def _take_lease_away(connection: psycopg.Connection[Any], values: Row) -> None:
    try:
        with connection.transaction():
            connection.execute(_MOVE_LEASE, values)
    except psycopg.errors.LockNotAvailable:
        connection.execute(_END_BLOCKERS)
        connection.execute(_MOVE_LEASE, values)


def _call(connection: psycopg.Connection[Any], function: str, operation: str, token: int) -> Row:
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(
                # nosec B608 - the function's name is a literal of the two callers
                f"select (slipway.{function}(%s, %s)).*",
                [operation, token],
            ).fetchone()
    except psycopg.Error as error:
        if error.sqlstate in _REFUSALS:
            raise _refused(error) from error
        raise
    assert row is not None
    return _plain(row)


def _refused(error: psycopg.Error) -> SwitchRefused:
    refusal = _REFUSALS.get(error.sqlstate or "", "STALE_EPOCH")
    message = (error.diag.message_primary or str(error)).strip()
    return SwitchRefused(f"{message}; read the row again: trading handover show", error=refusal)


def _regclass(connection: psycopg.Connection[Any], name: str) -> str | None:
    row = connection.execute("select to_regclass(%s)::text", [name]).fetchone()
    return row[0] if row else None


def _plain(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "only_row"}
