"""The environment's actor lock: one holder, and a token that only grows.

Nothing is decided by the wall clock: a lease ends by the clock that counts seconds since boot, and
a holder of another boot is gone with it. So a wall clock set back neither makes two holders nor
locks people out.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.model.errors import InProgress, StaleToken
from pipelines.records.machine import Machine
from pipelines.records.protocols import LockState
from pipelines.records.store import Store, Transaction

_COLUMNS = (
    "token, held, holder, purpose, pid, started, boot_id, acquired_at, expires_at,"
    " expires_boot_seconds"
)
_READ = f"select {_COLUMNS} from lock"  # noqa: S608 - a constant
_WRITE = f"insert into lock (only_row, {_COLUMNS}) values (1,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608


@dataclass(frozen=True, slots=True)
class _Row:
    token: int
    held: int
    holder: str
    purpose: str
    pid: int
    started: str
    boot_id: str
    acquired_at: str
    expires_at: str
    expires_boot_seconds: float


def require_token(transaction: Transaction, token: int) -> None:
    """StaleToken unless `token` is the one the lock gave out last and it was not given back.

    Part of the caller's transaction: what is written with it cannot be written by a former holder.
    """
    rows = transaction.execute("select token, held, holder, purpose from lock")
    if rows and rows[0][0] == token and rows[0][1]:
        return
    if rows and rows[0][0] == token:
        raise StaleToken(
            f"token {token} was given back", hint="run the command again: it takes the lock anew"
        )
    newest = f"token {rows[0][0]} of {rows[0][2]} ({rows[0][3]})" if rows else "no token"
    raise StaleToken(
        f"token {token} is stale: {newest} is newer",
        hint="this operation was taken over and must stop; see `slipway history`",
    )


class SqliteLock:
    """`records.protocols.Lock` over a store."""

    def __init__(self, store: Store, machine: Machine, environment: str) -> None:
        self._store = store
        self._machine = machine
        self._environment = environment

    def acquire(self, holder: str, purpose: str, *, lease_seconds: float, at_least: int = 0) -> int:
        with self._store.write() as transaction:
            row = _read(transaction.execute(_READ))
            if row is not None and self._alive(row):
                raise InProgress(
                    f"{self._environment} is being changed by {row.holder} ({row.purpose}),"
                    f" process {row.pid}, since {row.acquired_at}",
                    hint=f"wait for it, or look: slipway lock status {self._environment}",
                )
            return self._take(transaction, row, holder, purpose, lease_seconds, at_least)

    def preempt(self, holder: str, purpose: str, *, lease_seconds: float, at_least: int = 0) -> int:
        with self._store.write() as transaction:
            row = _read(transaction.execute(_READ))
            return self._take(transaction, row, holder, purpose, lease_seconds, at_least)

    def renew(self, token: int, *, lease_seconds: float) -> None:
        machine = self._machine
        with self._store.write() as transaction:
            require_token(transaction, token)
            transaction.execute(
                "update lock set expires_at = ?, expires_boot_seconds = ?",
                (machine.later(lease_seconds), machine.boot_seconds() + lease_seconds),
            )

    def check(self, token: int) -> None:
        require_token(_Reader(self._store), token)

    def release(self, token: int) -> None:
        with self._store.write() as transaction:
            transaction.execute("update lock set held = 0 where token = ?", (token,))

    def status(self) -> LockState | None:
        row = _read(self._store.query(_READ))
        if row is None or not row.held:
            return None
        return LockState(
            token=row.token,
            holder=row.holder,
            purpose=row.purpose,
            pid=row.pid,
            acquired_at=row.acquired_at,
            expires_at=row.expires_at,
            alive=self._alive(row),
        )

    def _take(
        self,
        transaction: Transaction,
        row: _Row | None,
        holder: str,
        purpose: str,
        lease: float,
        at_least: int,
    ) -> int:
        machine = self._machine
        token = max(row.token + 1 if row else 1, at_least)
        pid = machine.own_pid()
        values = (
            *(token, 1, holder, purpose, pid, machine.started(pid), machine.boot_id()),
            *(machine.now(), machine.later(lease), machine.boot_seconds() + lease),
        )
        if row is None:
            transaction.execute(_WRITE, values)
        else:
            assignments = ", ".join(f"{name.strip()} = ?" for name in _COLUMNS.split(","))
            transaction.execute(f"update lock set {assignments}", values)  # noqa: S608 - constant
        return token

    def _alive(self, row: _Row) -> bool:
        machine = self._machine
        return (
            bool(row.held)
            and row.boot_id == machine.boot_id()
            and machine.boot_seconds() < row.expires_boot_seconds
            and machine.started(row.pid) == row.started
        )


class _Reader:
    """A store as a transaction of one statement."""

    def __init__(self, store: Store) -> None:
        self.execute = store.query


def _read(rows: list[tuple[object, ...]]) -> _Row | None:
    return _Row(*rows[0]) if rows else None  # type: ignore[arg-type]
