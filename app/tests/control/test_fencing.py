"""A lease alone does not keep a paused worker from writing; the fence in the statement does.

Each worker is a process that takes the lease, decides to write, is stopped there, and wakes after
somebody else took the lease and wrote.
"""

from __future__ import annotations

import signal
import subprocess
import sys

import psycopg
import pytest

WORKERS = 12

_WORKER = """
import sys, uuid, psycopg
from trading.control.lease import FENCE
url, job, fenced = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "fenced"
me = uuid.UUID(sys.argv[4])
with psycopg.connect(url, autocommit=True) as connection:
    epoch, timeline, holder = connection.execute(
        "select epoch, timeline, holder from trading.lease").fetchone()
    assert holder == me                      # it holds the lease: now it may write
    print("about to write", flush=True)
    sys.stdin.readline()                     # ... and is stopped here
    values = {"holder": me, "epoch": epoch, "timeline": timeline, "job": job}
    if fenced:
        connection.execute(f"with {FENCE} insert into written select %(job)s from fence", values)
    else:
        connection.execute("insert into written values (%(job)s)", values)
"""


@pytest.fixture
def jobs(connection: psycopg.Connection) -> psycopg.Connection:
    connection.execute("create table written (job int)")
    connection.execute(
        "insert into trading.lease (slot, timeline, epoch) values ('blue', trading.timeline(), 1)"
    )
    return connection


def _take(connection: psycopg.Connection) -> str:
    row = connection.execute(
        "update trading.lease set holder = gen_random_uuid(), epoch = epoch + 1 "
        "returning holder::text"
    ).fetchone()
    assert row is not None
    return str(row[0])


def _pause_every_worker(connection: psycopg.Connection, url: str, variant: str) -> int:
    """The number of jobs that were written twice."""
    for job in range(WORKERS):
        holder = _take(connection)
        worker = subprocess.Popen(
            [sys.executable, "-c", _WORKER, url, str(job), variant, holder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"about to write\n"
        worker.send_signal(signal.SIGSTOP)
        _take(connection)  # somebody else now, who writes
        connection.execute("insert into written values (%s)", [job])
        worker.send_signal(signal.SIGCONT)
        worker.communicate(b"\n", timeout=20)
        assert worker.returncode == 0
    row = connection.execute(
        "select count(*) from (select 1 from written group by job having count(*) > 1) twice"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_with_a_lease_only_every_paused_worker_writes_twice(
    jobs: psycopg.Connection, database_url: str
) -> None:
    assert _pause_every_worker(jobs, database_url, "lease only") == WORKERS


def test_with_the_fence_no_paused_worker_writes_twice(
    jobs: psycopg.Connection, database_url: str
) -> None:
    assert _pause_every_worker(jobs, database_url, "fenced") == 0


def test_a_restored_database_with_another_timeline_fences_the_same_epoch(
    jobs: psycopg.Connection,
) -> None:
    from trading.control.lease import FENCE

    holder = _take(jobs)
    jobs.execute("update trading.lease set timeline = timeline + 1")
    values = {"holder": holder, "epoch": 2, "timeline": 2}
    assert jobs.execute(f"with {FENCE} select 1 from fence", values).fetchone() is None
