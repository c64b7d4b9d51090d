"""A new commit on `env/dev` to the beginning of the operation that follows it.

The commit is written as another machine's Slipway writes it, at any moment between two looks, and
nobody wakes the controller. An operation has begun when the journal has it.
"""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from unittest.mock import patch

from bench.context import Bench
from bench.kubernetes_work import until
from bench.table import Row, percentile, spread
from pipelines import wiring
from pipelines.flows.commits import new_operation_id, require_head, write
from pipelines.flows.context import Context
from pipelines.model.branch import BranchState
from tests.kubernetes import good_releases
from tests.kubernetes.cluster_installation import ENVIRONMENT, ClusterInstallation

LIMIT_SECONDS = 1.0


def run(bench: Bench) -> list[Row]:
    if bench.quick:
        return []  # images and a first release take minutes
    made = bench.released
    with patch.dict("os.environ", made.variables()):
        context = wiring.open_context(made.state, ENVIRONMENT, actor="bench")
        states = []
        for release in good_releases.pair(made):
            good_releases.settle(made, release)
            states.append(_head(context)[1])
        took = [_begins(made, context, states[n % 2]) for n in range(20)]
    good = percentile(took, 0.95) <= LIMIT_SECONDS
    what = f"push on env/{ENVIRONMENT} → sync begins"
    return [Row(what, "p95 ≤ 1 s", spread(took, digits=3), good, {"seconds": took})]


def _begins(made: ClusterInstallation, context: Context, state: BranchState) -> float:
    made.agreement(ENVIRONMENT).wait(90)
    until(lambda: _count(made, "running") == 0, 60.0)
    time.sleep(random.uniform(0.5, 1.5))  # noqa: S311 - any moment between two looks
    before = _count(made)
    head, now = _head(context)
    wanted = replace(state, operation=new_operation_id("promote"), holds=now.holds)
    write(context, wanted, expect=head, subject=f"Promote to {ENVIRONMENT}, for a figure")
    return until(lambda: _count(made) > before, 30.0, 0.005)


def _head(context: Context) -> tuple[str, BranchState]:
    head = require_head(context)
    assert head is not None
    return head.commit, head.state


def _count(made: ClusterInstallation, status: str = "%") -> int:
    file = made.state / "environments" / ENVIRONMENT / "records.sqlite"
    question = "select count(*) from operations where status like ?"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        return int(store.execute(question, (status,)).fetchone()[0])
