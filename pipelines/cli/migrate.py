"""`slipway migrate contract ENV`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from pipelines.cli.operation_output import show_plan
from pipelines.cli.options import (
    confirm,
    environment_argument,
    examples,
    output_option,
    reason_option,
    require_reason,
    state_option,
    yes_option,
)
from pipelines.cli.output import print_json
from pipelines.cli.session import open_environment


@click.group()
def command() -> None:
    """Run contract migrations. Expand migrations run by themselves, with each promotion."""


@command.command(epilog=examples('slipway migrate contract staging --reason "old column unused"'))
@environment_argument
@reason_option("Why; required.")
@click.option("--early", is_flag=True, help="Do not wait for the rollback window to end.")
@click.option("--dry-run", is_flag=True, help="Print the plan that would run, change nothing.")
@yes_option
@state_option
@output_option
def contract(
    environment: str, reason: str, early: bool, dry_run: bool, yes: bool, state: Path, output: str
) -> int:  # fmt: skip
    """Remove what only older releases need, after a backup. Says which releases that closes."""
    context = open_environment(state, environment, output=output)
    from pipelines.flows import contract as flow

    plan = flow.plan_contract(context, early=early)
    if dry_run or plan.empty:
        return show_plan(plan, output)
    require_reason(reason, "a contract migration")
    if output == "text":
        show_plan(plan, output)
    confirm("contract", f"{environment}: there is no way back but a restore.", yes=yes)
    done = flow.contract(context, plan, reason=reason)
    if output == "json":
        print_json({"environment": environment, "plan": asdict(plan), "done": done})
    else:
        click.echo(f"{environment}: {done}")
    return 0
