"""Steps and durable effects of operations, so that whoever comes next can go on.

Every write that carries a token checks it in the same transaction: a former holder can read, and
change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pipelines.records.lock import require_token
from pipelines.records.machine import Machine
from pipelines.records.protocols import Operation, StepRecord
from pipelines.records.store import Row, Store, Transaction

T = TypeVar("T")

_COLUMNS = (
    'id, kind, release, from_slot, to_slot, "commit", actor, reason, options, plan_digest, status,'
    " message, started_at, ended_at, switch_seconds, token"
)
_FIELDS = tuple(name.strip(' "') for name in _COLUMNS.split(","))
_READ = f"select {_COLUMNS} from operations"  # noqa: S608 - a constant
_WRITE = f"insert into operations ({_COLUMNS}) values ({', '.join('?' * 16)})"  # noqa: S608
_STEP = (
    "insert into steps (operation, name, status, seconds, detail) values (?, ?, ?, ?, ?)"
    " on conflict (operation, name) do update set"
    " status = excluded.status, seconds = excluded.seconds, detail = excluded.detail"
)


class SqliteJournal:
    """`records.protocols.Journal` over a store. `reach` is told each failpoint's name."""

    def __init__(self, store: Store, machine: Machine, reach: Callable[[str], None]) -> None:
        self._store = store
        self._machine = machine
        self._reach = reach

    def open(self, operation: Operation) -> Operation:
        with self._store.write() as transaction:
            require_token(transaction, operation.token)
            rows = transaction.execute(f"{_READ} where id = ?", (operation.id,))
            if not rows:
                self._insert(transaction, operation)
            elif rows[0][10] == "running":
                transaction.execute(
                    "update operations set token = ? where id = ?", (operation.token, operation.id)
                )
        found = self.get(operation.id)
        assert found is not None
        return found

    def _insert(self, transaction: Transaction, operation: Operation) -> None:
        started = operation.started_at or self._machine.now()
        transaction.execute(_WRITE, _to_row(replace(operation, started_at=started)))
        for step in operation.steps:
            transaction.execute(
                _STEP, (operation.id, step.name, step.status, step.seconds, step.detail)
            )

    def step(
        self,
        operation: str,
        token: int,
        name: str,
        status: str,
        seconds: float,
        detail: str = "",
    ) -> None:
        with self._store.write() as transaction:
            require_token(transaction, token)
            transaction.execute(_STEP, (operation, name, status, seconds, detail))

    def effect(self, operation: str, token: int, name: str, act: Callable[[], T]) -> T | None:
        if self.done(operation, name):
            return None
        self._reach(f"{name}:before")
        require_token(_Reader(self._store), token)
        result = act()
        self._reach(f"{name}:after")
        with self._store.write() as transaction:
            require_token(transaction, token)
            transaction.execute(
                "insert or ignore into effects (operation, name, token, at) values (?, ?, ?, ?)",
                (operation, name, token, self._machine.now()),
            )
        return result

    def done(self, operation: str, name: str) -> bool:
        return bool(
            self._store.query(
                "select 1 from effects where operation = ? and name = ?", (operation, name)
            )
        )

    def remember(self, operation: str, token: int, key: str, value: Any) -> None:
        text = _dump(value)
        with self._store.write() as transaction:
            require_token(transaction, token)
            transaction.execute(
                "insert or replace into memory (operation, key, value) values (?, ?, ?)",
                (operation, key, text),
            )

    def recall(self, operation: str, key: str) -> Any:
        rows = self._store.query(
            "select value from memory where operation = ? and key = ?", (operation, key)
        )
        return json.loads(rows[0][0]) if rows else None

    def close(
        self,
        operation: str,
        token: int,
        status: str,
        message: str,
        switch_seconds: float | None = None,
    ) -> None:
        with self._store.write() as transaction:
            require_token(transaction, token)
            transaction.execute(
                "update operations set status = ?, message = ?, ended_at = ?,"
                " switch_seconds = coalesce(?, switch_seconds) where id = ?",
                (status, message, self._machine.now(), switch_seconds, operation),
            )

    def get(self, operation: str) -> Operation | None:
        return self._first(f"{_READ} where id = ?", (operation,))

    def running(self) -> Operation | None:
        return self._first(f"{_READ} where status = 'running' order by rowid desc limit 1", ())

    def history(self, limit: int) -> Sequence[Operation]:
        rows = self._store.query(f"{_READ} order by rowid desc limit ?", (limit,))
        return [self._operation(row) for row in rows]

    def once(self, key: str) -> bool:
        return bool(self._store.query("select 1 from once where key = ?", (key,)))

    def record_once(self, key: str) -> None:
        with self._store.write() as transaction:
            transaction.execute(
                "insert or ignore into once (key, at) values (?, ?)", (key, self._machine.now())
            )

    def set_fact(self, key: str, value: Any) -> None:
        text = _dump(value)
        with self._store.write() as transaction:
            transaction.execute(
                "insert or replace into facts (key, value) values (?, ?)", (key, text)
            )

    def fact(self, key: str) -> Any:
        rows = self._store.query("select value from facts where key = ?", (key,))
        return json.loads(rows[0][0]) if rows else None

    def _first(self, sql: str, parameters: Sequence[Any]) -> Operation | None:
        rows = self._store.query(sql, parameters)
        return self._operation(rows[0]) if rows else None

    def _operation(self, row: Row) -> Operation:
        steps = self._store.query(
            "select name, status, seconds, detail from steps where operation = ? order by rowid",
            (row[0],),
        )
        fields = dict(zip(_FIELDS, row, strict=True))
        fields["options"] = json.loads(fields["options"])
        return Operation(**fields, steps=tuple(StepRecord(*step) for step in steps))


class _Reader:
    """A store as a transaction of one statement."""

    def __init__(self, store: Store) -> None:
        self.execute = store.query


def _to_row(operation: Operation) -> tuple[Any, ...]:
    o = operation
    return (
        *(o.id, o.kind, o.release, o.from_slot, o.to_slot, o.commit, o.actor, o.reason),
        *(_dump(dict(o.options)), o.plan_digest, o.status, o.message, o.started_at, o.ended_at),
        *(o.switch_seconds, o.token),
    )


def _dump(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
