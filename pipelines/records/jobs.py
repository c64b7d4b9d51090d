"""Jobs: checks, merges and deliveries that a controller works on, one at a time, each to an end.

A job that runs names its worker by pid, start time and boot: when that process is gone the job is
queued again, so neither a killed child nor a killed controller loses one. What was pushed later to
the same branch supersedes what still waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.records.machine import Machine
from pipelines.records.store import Row, Store, Transaction

CHECK, MERGE, DELIVER = "check", "merge", "deliver"
QUEUED, RUNNING, PASSED, FAILED, BROKEN, SUPERSEDED = (
    "queued", "running", "passed", "failed", "broken", "superseded",
)  # fmt: skip
ENDED = (PASSED, FAILED, BROKEN, SUPERSEDED)

MOST_ATTEMPTS = 3

_COLUMNS = (
    'id, kind, branch, "commit", actor, reason, status, message, report, attempts, engine, pid, started,'
    " boot_id, asked_at, started_at, ended_at"
)
_SELECT = f"select {_COLUMNS} from jobs"  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class Job:
    """`kind`: check (a pushed commit), merge (a merge candidate of `branch`, completed when it
    passes), deliver (what came to develop, built and promoted to dev). `report`: folder with what
    the job wrote for people. Times are UTC ISO 8601, empty until they happen; `started` is the
    worker's start time in the kernel's ticks, `engine` the one that worked on it."""

    id: int
    kind: str
    branch: str
    commit: str
    actor: str
    reason: str
    status: str
    message: str
    report: str
    attempts: int
    engine: str
    pid: int
    started: str
    boot_id: str
    asked_at: str
    started_at: str
    ended_at: str

    @property
    def ended(self) -> bool:
        return self.status in ENDED


class Jobs:
    """The job table over a store. Every change is one transaction."""

    def __init__(self, store: Store, machine: Machine) -> None:
        self._store = store
        self._machine = machine

    def ask(
        self,
        kind: str,
        branch: str,
        commit: str,
        *,
        actor: str,
        reason: str = "",
        again: bool = False,
    ) -> Job:
        """The job for this commit: the one there is, or a new one, which supersedes what waits for
        the same branch. `again`: also when the last one has ended."""
        with self._store.write() as transaction:
            known = _first(
                transaction,
                'where kind = ? and branch = ? and "commit" = ? and status <> ?'
                " order by id desc limit 1",
                (kind, branch, commit, SUPERSEDED),
            )
            if known is not None and not (again and known.ended):
                return known
            transaction.execute(
                "update jobs set status = ?, message = ?, ended_at = ?"
                " where kind = ? and branch = ? and status = ?",
                (
                    SUPERSEDED,
                    f"{commit[:12]} came later",
                    self._machine.now(),
                    kind,
                    branch,
                    QUEUED,
                ),
            )
            transaction.execute(
                'insert into jobs (kind, branch, "commit", actor, reason, status, message, report,'
                " attempts, engine, pid, started, boot_id, asked_at, started_at, ended_at)"
                " values (?, ?, ?, ?, ?, ?, '', '', 0, '', 0, '', '', ?, '', '')",
                (kind, branch, commit, actor, reason, QUEUED, self._machine.now()),
            )
            made = _first(transaction, "order by id desc limit 1")
        assert made is not None
        return made

    def take(self, engine: str = "") -> Job | None:
        """The oldest job that waits, deliveries and merges first, now running in this process;
        None when there is none or one runs already."""
        if not self._store.query(
            "select 1 from jobs where status in (?, ?) limit 1", (QUEUED, RUNNING)
        ):
            return None  # asked twice a second: nobody else has to wait for that
        with self._store.write() as transaction:
            self._reap(transaction)
            if transaction.execute("select 1 from jobs where status = ?", (RUNNING,)):
                return None
            job = _first(
                transaction,
                "where status = ? order by case kind when ? then 0 when ? then 1 else 2 end, id limit 1",
                (QUEUED, DELIVER, MERGE),
            )
            if job is None:
                return None
            pid = self._machine.own_pid()
            transaction.execute(
                "update jobs set status = ?, attempts = attempts + 1, engine = ?, pid = ?,"
                " started = ?, boot_id = ?, started_at = ?, message = '' where id = ?",
                (RUNNING, engine, *self._worker(pid), self._machine.now(), job.id),
            )
            return _first(transaction, "where id = ?", (job.id,))

    def adopt(self, job: int, pid: int) -> None:
        """The running job is worked on by another process of ours from now on."""
        with self._store.write() as transaction:
            transaction.execute(
                "update jobs set pid = ?, started = ?, boot_id = ? where id = ? and status = ?",
                (*self._worker(pid), job, RUNNING),
            )

    def end(self, job: int, status: str, message: str, report: str = "") -> bool:
        """False when it does not run any more: somebody else ended it."""
        with self._store.write() as transaction:
            return bool(
                transaction.execute(
                    "update jobs set status = ?, message = ?, report = ?, ended_at = ?"
                    " where id = ? and status = ? returning id",
                    (status, message, report, self._machine.now(), job, RUNNING),
                )
            )

    def give_back(self, job: int) -> None:
        """Its worker was stopped on purpose: it waits again, and the attempt does not count."""
        with self._store.write() as transaction:
            transaction.execute(
                "update jobs set status = ?, attempts = attempts - 1, message = ?"
                " where id = ? and status = ?",
                (QUEUED, "waits again: the controller stopped", job, RUNNING),
            )

    def note(self, job: int, message: str) -> None:
        """What it is at, for whoever watches. Cheap when that is known already."""
        known = self.get(job)
        if known is None or known.message == message:
            return
        with self._store.write() as transaction:
            transaction.execute(
                "update jobs set message = ? where id = ? and status = ?", (message, job, RUNNING)
            )

    def reap(self) -> None:
        """Queue again what a dead worker left; what died too often is broken."""
        with self._store.write() as transaction:
            self._reap(transaction)

    def get(self, job: int) -> Job | None:
        return _first(self._store, "where id = ?", (job,))

    def newest(self, branch: str, *, kind: str = "", commit: str = "") -> Job | None:
        return _first(
            self._store,
            "where branch = ? and (? = '' or kind = ?) and (? = '' or \"commit\" = ?)"
            " order by id desc limit 1",
            (branch, kind, kind, commit, commit),
        )

    def running(self) -> Job | None:
        return _first(self._store, "where status = ?", (RUNNING,))

    def waiting(self) -> Sequence[Job]:
        rows = self._store.query(f"{_SELECT} where status = ? order by id", (QUEUED,))
        return [Job(*row) for row in rows]

    def all(self, limit: int) -> Sequence[Job]:
        """Newest first."""
        rows = self._store.query(f"{_SELECT} order by id desc limit ?", (limit,))
        return [Job(*row) for row in rows]

    def _worker(self, pid: int) -> tuple[int, str, str]:
        return pid, self._machine.started(pid), self._machine.boot_id()

    def _reap(self, transaction: Transaction) -> None:
        job = _first(transaction, "where status = ?", (RUNNING,))
        if job is None or self._alive(job):
            return
        if job.attempts >= MOST_ATTEMPTS:
            transaction.execute(
                "update jobs set status = ?, message = ?, ended_at = ? where id = ?",
                (BROKEN, f"its process died {job.attempts} times", self._machine.now(), job.id),
            )
            return
        transaction.execute(
            "update jobs set status = ?, message = ? where id = ?",
            (QUEUED, "waits again: its process died", job.id),
        )

    def _alive(self, job: Job) -> bool:
        machine = self._machine
        return (
            job.boot_id == machine.boot_id()
            and job.started != ""
            and machine.started(job.pid) == job.started
        )


class _Reads:
    """A store as a transaction of one statement."""

    def __init__(self, store: Store) -> None:
        self.execute = store.query


def _first(
    source: Store | Transaction, rest: str, parameters: tuple[object, ...] = ()
) -> Job | None:
    execute = source.execute if hasattr(source, "execute") else _Reads(source).execute
    rows: list[Row] = execute(f"{_SELECT} {rest}", parameters)
    return Job(*rows[0]) if rows else None
