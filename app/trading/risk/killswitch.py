"""The kill switch: one row in the database, so it outlives every process and every release.

It is latched: only a person with a reason re-arms it. It is enforced in the gateway: the statement
that moves an order to SENT locks this row, so after `trip` returned no further order is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from trading.errors import InvalidInput

_CHANGE = """
with changed as (
  update trading.risk_state set killed = %(killed)s, reason = %(reason)s, actor = %(actor)s,
    changed_at = clock_timestamp()
  where killed <> %(killed)s returning *
), logged as (
  insert into trading.risk_log (killed, reason, actor) select killed, reason, actor from changed
), told as (
  insert into trading.events (kind, payload)
  select 'risk', jsonb_build_object('killed', killed, 'reason', reason, 'actor', actor)
  from changed
)
select pg_notify('trading_orders', '') from changed
"""


@dataclass(frozen=True, slots=True)
class KillSwitch:
    killed: bool
    reason: str
    actor: str
    changed_at: datetime


def read(connection: Connection[Any]) -> KillSwitch:
    with connection.cursor(row_factory=class_row(KillSwitch)) as cursor:
        row = cursor.execute(
            "select killed, reason, actor, changed_at from trading.risk_state"
        ).fetchone()
    assert row is not None  # inserted by the migration, never deleted
    return row


def trip(connection: Connection[Any], reason: str, actor: str = "") -> KillSwitch:
    """Stop all sending now; working orders are cancelled by the trader. Twice is once.

    Raises `InvalidInput` without a reason.
    """
    return _change(connection, True, reason, actor)


def rearm(connection: Connection[Any], reason: str, actor: str = "") -> KillSwitch:
    """Allow sending again. Raises `InvalidInput` without a reason."""
    return _change(connection, False, reason, actor)


def _change(connection: Connection[Any], killed: bool, reason: str, actor: str) -> KillSwitch:
    if not reason.strip():
        raise InvalidInput("the kill switch needs a reason; say why in a few words")
    with connection.transaction():
        connection.execute(
            _CHANGE, {"killed": killed, "reason": reason.strip()[:500], "actor": actor[:100]}
        )
        return read(connection)
