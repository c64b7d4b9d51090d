"""`slipway promote ENV [RELEASE]`."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.operation_output import nothing_to_do, show_outcome, show_plan
from pipelines.cli.options import (
    environment_argument,
    examples,
    output_option,
    reason_option,
    require_reason,
    state_option,
)
from pipelines.cli.output import print_json
from pipelines.cli.session import open_environment, operation_json
from pipelines.model.errors import SlipwayError


@click.command(
    epilog=examples(
        "slipway promote dev",
        "slipway promote staging --dry-run",
        'slipway promote production --reason "faster momentum exit"',
        "slipway promote production r-0123456789abcdef --reason …",
    )
)
@environment_argument
@click.argument("release", required=False)
@reason_option("Why; required for production. Kept in the branch and the audit.")
@click.option("--dry-run", is_flag=True, help="Print the plan that would run, change nothing.")
@click.option("--no-wait", is_flag=True, help="Commit and return; the controller goes on.")
@state_option
@output_option
def command(
    environment: str, release: str | None, reason: str, dry_run: bool, no_wait: bool,
    state: Path, output: str,
) -> int:  # fmt: skip
    """Release into ENV, blue-green: stage in the idle slot, verify, switch, watch, confirm.

    Without RELEASE, dev takes the newest build, staging what is active in dev, and production
    what is active in staging. What fails goes back by itself and is held (exit code 4).
    """
    if environment == "production" and not dry_run:
        require_reason(reason, "a promotion to production")
    context = open_environment(state, environment, output=output)
    from pipelines.flows.promote import promote, propose

    proposal = propose(context, release, reason, only_looking=dry_run)
    if dry_run:
        return show_plan(proposal.plan, output)
    asked = proposal.state.operation
    try:
        operation = promote(context, proposal, wait=not no_wait)
    except SlipwayError as error:
        ended = context.records.journal.get(asked)
        if output == "text" or ended is None:
            raise
        print_json({**operation_json(environment, ended), "hint": error.hint})
        return error.exit_code
    if operation is None:
        return nothing_to_do(proposal.plan, output)
    return show_outcome(environment, operation, output)
