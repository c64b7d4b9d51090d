"""`slipway check --follow BRANCH`: watch what the controller does with a branch, to its end."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from pipelines.cli.output import paint, print_json, print_table
from pipelines.model.check import Report
from pipelines.model.errors import BadInput, NeedsPerson
from pipelines.records.jobs import PASSED, QUEUED, SUPERSEDED, Job, Jobs

LOOK_SECONDS = 0.3
REMIND_SECONDS = 10.0
MOST_FINDINGS = 20
REPORT = "report.json"


def follow(state: Path, branch: str, output: str) -> int:
    """Exit code: 0 passed, 1 not. Raises BadInput (nothing was ever asked for this branch),
    NeedsPerson (nobody works on it)."""
    job = wait(state, branch, quiet=output == "json")
    assert job is not None
    report = _report(job)
    if output == "json":
        print_json({**job_document(job), "report": _raw(job)})
    elif report is not None:
        show(report)
    if output != "json":
        click.echo(f"{job.branch} {job.commit[:12]}: {job.kind} {paint(job.status)}"
                   f"{' — ' + job.message if job.message else ''}")  # fmt: skip
        if job.report:
            click.echo(f"  report: {job.report}")
    return 0 if job.status == PASSED else 1


def wait(state: Path, branch: str, *, kind: str = "", quiet: bool) -> Job:
    """The newest job of the branch, when it has ended; a later one takes its place."""
    from pipelines import wiring

    jobs = wiring.open_jobs(state)
    said, reminded = "", time.monotonic()
    while True:
        job = jobs.newest(branch, kind=kind)
        if job is None:
            raise BadInput(
                f"nothing was asked for a branch {branch!r:.120}",
                hint=f"push it first: git push slipway HEAD:{branch}",
            )
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


def show(report: Report) -> None:
    """The table, then what a reviewer would say."""
    rows = [
        {"stage": s.stage, "status": s.status, "seconds": f"{s.seconds:.1f}", "summary": s.summary}
        for s in report.stages
    ]
    print_table(rows, ["stage", "status", "seconds", "summary"])
    findings = [f for s in report.stages for f in s.findings]
    for finding in findings[:MOST_FINDINGS]:
        where = f"{finding.path}:{finding.line} " if finding.path else ""
        click.echo(f"  {finding.severity}: {where}{finding.message} [{finding.rule}]")
        if finding.hint:
            click.echo(f"    {finding.hint}")
    if len(findings) > MOST_FINDINGS:
        click.echo(f"  … and {len(findings) - MOST_FINDINGS} more")
    sys.stdout.flush()
