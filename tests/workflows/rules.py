"""Our own rules for a workflow file, beside those of actionlint and zizmor.

Each rule answers in sentences; no sentence means that the file keeps it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

GATE = "required-checks-passed"
REPORTING = {"report"}
"""Jobs that judge nothing; the gate need not wait for them."""
RESULTS = "${{ join(needs.*.result, ' ') }}"
LONGEST_MINUTES = 60
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def problems(path: Path) -> list[str]:
    """Everything that our rules find in one workflow file."""
    text = path.read_text("utf-8")
    jobs: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return [
        *uses_without_a_pin(text),
        *jobs_without_a_limit(jobs),
        *jobs_without_permissions(jobs),
        *expressions_in_scripts(jobs),
        *gates_that_cannot_fail(jobs),
    ]


def uses_without_a_pin(text: str) -> Iterator[str]:
    """A full commit id, and the version in words, which updates are proposed by."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"^\s*(- )?uses:", line) and not PINNED.search(line):
            yield f"line {number}: '{line.strip()}' is not '<action>@<40 hex digits> # v1.2.3'"


def jobs_without_a_limit(jobs: dict[str, Any]) -> Iterator[str]:
    for name, job in jobs.items():
        minutes = job.get("timeout-minutes")
        if not isinstance(minutes, int) or not 0 < minutes <= LONGEST_MINUTES:
            yield f"job {name}: timeout-minutes is {minutes}, not 1 to {LONGEST_MINUTES}"


def jobs_without_permissions(jobs: dict[str, Any]) -> Iterator[str]:
    for name, job in jobs.items():
        if not isinstance(job.get("permissions"), dict):
            yield f"job {name}: says no permissions of its own"


def expressions_in_scripts(jobs: dict[str, Any]) -> Iterator[str]:
    for name, job in jobs.items():
        for step in job["steps"]:
            if "${{" in step.get("run", ""):
                yield f"job {name}: an expression inside a script; pass the value by env"


def gates_that_cannot_fail(jobs: dict[str, Any]) -> Iterator[str]:
    """The gate always runs, waits for every job that judges, and is red for everything but success."""
    gate = jobs.get(GATE)
    if gate is None:
        yield f"no job {GATE}"
        return
    if gate.get("if") != "always()":
        yield f"{GATE}: `if` is {gate.get('if')!r}; a skipped required check counts as passed"
    needs = gate.get("needs", [])
    for name in sorted(
        set(jobs) - {GATE, *REPORTING} - set([needs] if isinstance(needs, str) else needs)
    ):
        yield f"{GATE}: does not need {name}"
    for name, job in jobs.items():
        if job.get("continue-on-error") or any(s.get("continue-on-error") for s in job["steps"]):
            yield f"job {name}: continue-on-error hides a failure"
    if any("if" in step for step in gate["steps"]):
        yield f"{GATE}: a step with a condition of its own can be skipped"
    yield from wrong_answers(gate)


def wrong_answers(gate: dict[str, Any]) -> Iterator[str]:
    """What the gate's scripts answer when they are run with each result a job can have."""
    cases = ["", *(f"success {bad}" for bad in ("failure", "cancelled", "skipped"))]
    for results in (*cases, "success success"):
        green = all(run(step, results) for step in gate["steps"])
        if green != (results == "success success"):
            yield f"{GATE}: is {'green' if green else 'red'} for the results '{results}'"


def run(step: dict[str, Any], results: str) -> bool:
    """Run a step's script as GitHub does (`shell: bash`); an action counts as a pass."""
    values = {k: results if v == RESULTS else str(v) for k, v in step.get("env", {}).items()}
    argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.get("run", "true")]
    done = subprocess.run(
        argv, env={"PATH": os.environ["PATH"], **values}, timeout=10, capture_output=True
    )
    return done.returncode == 0
