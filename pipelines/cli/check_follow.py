"""`slipway check --follow BRANCH`: watch what the controller does with a branch, to its end."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from pipelines.cli.output import paint, print_json
from pipelines.model.check import Report
from pipelines.model.errors import BadInput, NeedsPerson
from pipelines.records.jobs import CHECK, DELIVER, PASSED, QUEUED, SUPERSEDED, Job, Jobs

LOOK_SECONDS = 0.3
REMIND_SECONDS = 10.0
REPORT = "report.json"


def follow(state: Path, branch: str, output: str, *, again: bool = False) -> int:
    """Exit code: 0 passed, 1 not. `again`: the commit that was checked (of develop: delivered) last
    is once more, such as after a tool was missing. Raises BadInput (nothing was ever asked for this branch),
    NeedsPerson (nobody works on it)."""
    if again:
        _ask_again(state, branch)
    job = wait(state, branch, quiet=output == "json")
    report = _report(job)
    if output == "json":
        print_json({**job_document(job), "report": _raw(job)})
    elif report is not None:
        from pipelines.cli.check_table import print_report

        print_report(report)
    if output != "json":
        click.echo(f"{job.branch} {job.commit[:12]}: {job.kind} {paint(job.status)}"
                   f"{' — ' + job.message if job.message else ''}")  # fmt: skip
        if job.report:
            click.echo(f"  report: {job.report}")
    return 0 if job.status == PASSED else 1


def _ask_again(state: Path, branch: str) -> None:
    from pipelines import wiring
    from pipelines.cli.options import actor

    jobs = wiring.open_jobs(state)
    known = jobs.newest(branch, kind=DELIVER if branch == "develop" else CHECK)
    if known is None:
        raise _unknown(branch)
    reason = known.reason if known.kind == DELIVER else "asked again"
    jobs.ask(known.kind, branch, known.commit, actor=actor(), reason=reason, again=True)
    wiring.wake_worker(state)


def _unknown(branch: str) -> BadInput:
    return BadInput(
        f"nothing was asked for a branch {branch!r:.120}",
        hint=f"push it first: git push slipway HEAD:{branch}",
    )


def wait(state: Path, branch: str, *, kind: str = "", quiet: bool) -> Job:
    """The newest job of the branch, when it has ended; a later one takes its place."""
    from pipelines import wiring

    jobs = wiring.open_jobs(state)
    said, reminded = "", time.monotonic()
    while True:
        job = jobs.newest(branch, kind=kind)
        if job is None:
            raise _unknown(branch)
        if job.ended and job.status != SUPERSEDED:
            return job
        if job.status == SUPERSEDED and jobs.newest(branch, kind=kind) == job:
            return job
        words = _words(jobs, job)
        if words != said and not quiet:
            click.echo(f"… {words}", err=True)
            said = words
        if time.monotonic() - reminded > REMIND_SECONDS or job.status == QUEUED:
            reminded = time.monotonic()
            _require_worker(state, job)
        time.sleep(LOOK_SECONDS)


def _require_worker(state: Path, job: Job) -> None:
    from pipelines import wiring

    if not wiring.worker_lives(state):
        raise NeedsPerson(
            f"job {job.id} ({job.kind} of {job.branch}) is {job.status}, and no controller of "
            f"{wiring.WORKER} runs that could work on it",
            hint="start it: slipway up",
        )


def _words(jobs: Jobs, job: Job) -> str:
    name = f"{job.kind} of {job.branch} {job.commit[:12]}"
    if job.status != QUEUED:
        return f"{name}: {job.message or 'begins'}"
    running = jobs.running()
    if running is None:
        return f"{name} waits {job.message}".rstrip()
    return f"{name} waits behind {running.kind} of {running.branch} ({running.message or 'begins'})"


def job_document(job: Job) -> dict[str, Any]:
    return {
        "job": job.id, "kind": job.kind, "branch": job.branch, "commit": job.commit,
        "actor": job.actor, "status": job.status, "message": job.message,
        "asked_at": job.asked_at, "started_at": job.started_at, "ended_at": job.ended_at,
        "attempts": job.attempts, "folder": job.report,
    }  # fmt: skip


def _raw(job: Job) -> Any:
    try:
        return json.loads((Path(job.report) / REPORT).read_text()) if job.report else None
    except (OSError, ValueError):
        return None


def _report(job: Job) -> Report | None:
    from pipelines.stages.report_json import report_from

    raw = _raw(job)
    try:
        return report_from(raw) if isinstance(raw, dict) else None
    except ValueError:
        return None
