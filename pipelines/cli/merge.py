"""`slipway merge BRANCH`."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import actor, examples, output_option, reason_option, state_option
from pipelines.cli.output import print_json
from pipelines.flows.merge import Merged

CHECK_FAILED = 1


@click.command(
    epilog=examples(
        "slipway merge feature/quant-strategy-breakout",
        "slipway merge feature/quant-strategy-breakout --dry-run",
        'slipway merge feature/console-colours --reason "asked for by the desk"',
    )
)
@click.argument("branch", metavar="BRANCH")
@reason_option("Why; kept in the merge commit, the evidence and the audit.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, change nothing.")
@click.option("--no-wait", is_flag=True, help="Leave a check of the merged tree to the controller.")
@state_option
@output_option
def command(
    branch: str, reason: str, dry_run: bool, no_wait: bool, state: Path, output: str
) -> int:
    """Merge BRANCH of the origin into develop, when check and reviews allow it.

    When develop has moved on since the branch was checked, what develop would become is checked
    first. What comes to develop is built and promoted to dev on its own.
    """
    from pipelines import wiring_jobs
    from pipelines.flows.merge import merge

    desk = wiring_jobs.open_desk(state, actor())
    found = merge(desk, branch, reason.strip(), only_looking=dry_run)
    if found.status == "checking" and not no_wait:
        return _follow(state, found, output)
    if output == "json":
        print_json(_document(found))
    else:
        _say(found)
    return 0


def _follow(state: Path, found: Merged, output: str) -> int:
    """Stay with the candidate's check until develop has moved, or will not."""
    from pipelines.cli.check_follow import wait

    if output == "text":
        click.echo(f"{found.target} has moved on; what it would become is checked first", err=True)
    job = wait(state, found.branch, kind="merge", quiet=output == "json")
    done = job.status == "passed"
    if output == "json":
        status = "merged" if done else "refused"
        document = {**_document(found), "commit": job.commit, "job": job.id}
        print_json({**document, "status": status, "message": job.message})
    elif done:
        click.echo(
            f"{job.message}\n  it is built and promoted to dev next: slipway check --follow develop"
        )
    else:
        click.echo(f"{found.branch} was not merged: {job.message}", err=True)
        click.echo(f"  see: slipway check --follow {found.branch}", err=True)
    return 0 if done else CHECK_FAILED


def _document(found: Merged) -> dict[str, object]:
    return {
        "status": found.status, "branch": found.branch, "target": found.target,
        "head": found.head, "commit": found.commit, "job": found.job.id if found.job else None,
        "notes": list(found.notes),
    }  # fmt: skip


def _say(found: Merged) -> None:
    commit = found.commit[:12]
    words = {
        "merged": f"{found.branch} is merged into {found.target} as {commit}",
        "nothing": f"nothing to do, {found.branch} is in {found.target} already",
        "planned": f"{found.branch} {found.head[:12]} would be merged into {found.target}",
        "checking": f"{found.target} has moved on: {commit}, what it would become, is checked, and "
        "merged by the controller when it is green",
    }
    click.echo(words[found.status])
    for note in found.notes:
        click.echo(f"  note: {note}")
    following = {
        "merged": "  it is built and promoted to dev next: slipway check --follow develop",
        "checking": f"  watch it: slipway check --follow {found.branch}",
    }
    if found.status in following:
        click.echo(following[found.status])
