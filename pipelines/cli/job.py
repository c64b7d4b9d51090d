"""What the controller starts for one job; no command of people's.

python -I -m pipelines.cli.job STATE JOB CONTROLLER     (pid of the process that started it)
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str]) -> int:
    state, number, parent = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    from pipelines import wiring_jobs

    wiring_jobs.become_child(parent)
    from pipelines.flows.jobs import work

    tools = wiring_jobs.open_tools(state)
    job = tools.jobs.get(number)
    if job is None or job.status != "running":
        return 1
    outcome = work(tools, job)
    tools.jobs.end(job.id, outcome.status, outcome.message, outcome.report)
    return 0 if outcome.status == "passed" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
