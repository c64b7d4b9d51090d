"""What hooks write down, in schema `slipway` of the environment's database."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from pipelines.adapters.rows_url import UrlRows
from pipelines.model.hook import HookRecord

POLL_SECONDS = 0.5
_COLUMNS = "operation, step, named, release, slot, status, message, at, details"
_OF = f"select {_COLUMNS} from slipway.hooks where %(o)s in (operation, named) order by at"  # noqa: S608
_NEWEST = f"select {_COLUMNS} from slipway.hooks order by at desc limit 1"  # noqa: S608
_LARGEST = """select greatest(coalesce((select token from slipway.active), 0),
  coalesce((select token from slipway.fence), 0))"""
_LOCKED = "pg_try_advisory_lock(hashtext('slipway.hooks'))"
_BUSY = f"""select case when {_LOCKED} then not pg_advisory_unlock(hashtext('slipway.hooks'))
  else true end"""
_WRITE = """
insert into slipway.hooks as h (operation, step, named, release, slot, status, message, details)
values (%(operation)s, %(step)s, %(named)s, %(release)s, %(slot)s, %(status)s, %(message)s,
  %(details)s::jsonb)
on conflict (operation, step) do update set named = excluded.named, release = excluded.release,
  slot = excluded.slot, status = excluded.status, message = excluded.message,
  details = excluded.details, at = clock_timestamp()
"""


class HookRows(UrlRows):
    """Implements ports.Rows and model.hook.HookRecords over one connection."""

    def prepare(self) -> None:
        self.apply_schema()

    def take_token(self, at_least: int = 0) -> int:
        found = self._change("select slipway.take_token(%(at_least)s)", {"at_least": at_least})
        return int(found[0][0])

    def newest_token(self) -> int:
        return int(self._change(_LARGEST, {})[0][0])

    def alone(self, wait_seconds: float) -> bool:
        """The lock goes with the connection, so a hook that is killed holds up nobody."""
        until = time.monotonic() + wait_seconds
        while not self._change(f"select {_LOCKED}", {})[0][0]:
            if time.monotonic() > until:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def busy(self) -> bool:
        return bool(self._change(_BUSY, {})[0][0])

    def of(self, operation: str) -> list[HookRecord]:
        return [_record(row) for row in self._change(_OF, {"o": operation})]

    def newest(self) -> HookRecord | None:
        found = self._change(_NEWEST, {})
        return _record(found[0]) if found else None

    def write(self, record: HookRecord) -> None:
        self._change(
            _WRITE,
            {
                "operation": record.operation,
                "step": record.step,
                "named": record.named,
                "release": record.release,
                "slot": record.slot,
                "status": record.status,
                "message": record.message,
                "details": json.dumps(dict(record.details)),
            },
        )

    def once(self, key: str) -> str | None:
        found = self._change(
            "select operation from slipway.hooks_once where key = %(k)s", {"k": key}
        )
        return str(found[0][0]) if found else None

    def record_once(self, key: str, operation: str) -> None:
        query = """insert into slipway.hooks_once (key, operation) values (%(k)s, %(o)s)
          on conflict (key) do nothing"""
        self._change(query, {"k": key, "o": operation})

    def ran(self, operation: str) -> bool:
        query = "select 1 from slipway.active_log where operation = %(o)s limit 1"
        return bool(self._change(query, {"o": operation}))

    def confirmed(self, release: str) -> bool:
        query = """select 1 from slipway.active_log
          where release = %(r)s and state = 'confirmed' limit 1"""
        return bool(self._change(query, {"r": release}))


def _record(row: Sequence[Any]) -> HookRecord:
    operation, step, named, release, slot, status, message, at, details = row
    return HookRecord(
        operation=operation,
        step=step,
        named=named,
        release=release,
        slot=slot,
        status=status,
        message=message,
        at=at.isoformat(timespec="seconds"),
        details=details,
    )
