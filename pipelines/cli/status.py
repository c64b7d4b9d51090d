"""`slipway status`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from pipelines.cli.check_follow import job_document
from pipelines.cli.options import examples, output_option, state_option
from pipelines.cli.output import print_json, print_table
from pipelines.cli.session import open_all
from pipelines.model.sync_state import SUCCEEDED
from pipelines.records.jobs import Job

MOST_HEALS = 3


@click.command(
    epilog=examples("slipway status", "slipway status production", "slipway status -o json")
)
@click.argument("environment", metavar="[ENV]", required=False)
@state_option
@output_option
def command(environment: str | None, state: Path, output: str) -> None:
    """Show what every environment runs, and whether branch, database and processes agree."""
    from pipelines.flows.status import environment_status

    rows = [environment_status(context) for context in open_all(state, environment)]
    jobs = open_jobs(state)
    if output == "json":
        print_json({"environments": rows, "jobs": [job_document(job) for job in jobs]})
    else:
        print_status(rows)
        for job in jobs:
            click.echo(f"  {job_remark(job)}")


def open_jobs(state: Path) -> list[Job]:
    """What runs, what waits, and the delivery of develop that failed, if it was the last one."""
    from pipelines import wiring

    jobs = wiring.open_jobs(state)
    running, last = jobs.running(), jobs.newest("develop", kind="deliver")
    failed = last is not None and last.status in ("failed", "broken")
    return [*([running] if running else []), *jobs.waiting(), *([last] if failed and last else [])]


def job_remark(job: Job) -> str:
    message = job.message.partition("\n")[0]
    words = f"{job.kind} of {job.branch} {job.commit[:12]}: {job.status}"
    return f"{words}{' — ' + message if message else ''} (slipway check --follow {job.branch})"


def print_status(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line per environment, then what a person should know."""
    print_table(rows, ["name", "url", "release", "active", "health", "sync", "way_back"])
    for row in rows:
        for words in remarks(row):
            click.echo(f"  {row['name']}: {words}")


def sync_remark(one: Mapping[str, str]) -> str:
    """Of a sync in the cluster that runs, waits or ended badly."""
    words = f"{one['part']} in the cluster, commit {one['commit'][:12]}: {one['phase']}"
    return f"{words}: {' '.join(one['message'].split())}" if one["message"] else words


def remarks(row: Mapping[str, Any]) -> list[str]:
    """What is not as usual in an environment, with the next thing to type."""
    name, running, frozen = row["name"], row["operation"], row["frozen"]
    said = []
    if row["alarm"]:
        said.append(f"alarm: {row['alarm']} (slipway doctor)")
    if row["landing"]:
        said.append(f"not merged to main: version {row['landing']}")
    if running:
        said.append(f"{running['kind']} by {running['actor']} under way (slipway history {name})")
    if frozen:
        said.append(f"frozen by {frozen['actor']}: {frozen['reason']} (slipway thaw {name})")
    said += [
        f"held: {hold['release']}: {hold['reason'] or 'no reason given'}" for hold in row["held"]
    ]
    said += [
        f"drifted, {'healed' if one['healed'] else 'not healed'} at {one['at']}: {one['drift']}"
        for one in row["healed"][:MOST_HEALS]
    ]
    said += [sync_remark(one) for one in row["syncs"] if one["phase"] not in ("", SUCCEEDED)]
    if not row["controller"]:
        said.append("no controller runs (slipway up)")
    return said
