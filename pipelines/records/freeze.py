"""Whether promotions into the environment are stopped. A freeze never stops a rollback."""

from __future__ import annotations

from pipelines.records.machine import Machine
from pipelines.records.store import Store


class SqliteFreeze:
    """`records.protocols.Freeze` over a store. Who froze first stays named until the thaw."""

    def __init__(self, store: Store, machine: Machine) -> None:
        self._store = store
        self._machine = machine

    def freeze(self, actor: str, reason: str) -> None:
        with self._store.write() as transaction:
            transaction.execute(
                "insert or ignore into freeze (only_row, actor, reason, at) values (1, ?, ?, ?)",
                (actor, reason, self._machine.now()),
            )

    def thaw(self, actor: str, reason: str) -> None:
        """`actor` and `reason` belong into the audit, which the caller writes."""
        with self._store.write() as transaction:
            transaction.execute("delete from freeze")

    def state(self) -> tuple[str, str, str] | None:
        rows = self._store.query("select actor, reason, at from freeze")
        return (rows[0][0], rows[0][1], rows[0][2]) if rows else None
