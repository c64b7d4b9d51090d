"""`slipway sync ENV`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from pipelines.cli.operation_output import show_plan
from pipelines.cli.options import environment_argument, examples, output_option, state_option
from pipelines.cli.output import print_json
from pipelines.cli.session import open_environment


@click.command(epilog=examples("slipway sync dev --dry-run", "slipway sync production"))
@environment_argument
@click.option("--dry-run", is_flag=True, help="Print the plan that would run, change nothing.")
@state_option
@output_option
def command(environment: str, dry_run: bool, state: Path, output: str) -> int:
    """Make what runs in ENV equal to the head of env/ENV; the plan printed is the one applied."""
    context = open_environment(state, environment, output=output)
    from pipelines.flows.sync import plan_sync
    from pipelines.flows.sync_now import sync_now

    plan = plan_sync(context)
    if dry_run or plan.empty:
        return show_plan(plan, output)
    done = sync_now(context, plan)
    if output == "json":
        print_json({"environment": environment, "plan": asdict(plan), "done": done})
    else:
        show_plan(plan, output)
        click.echo(f"  done       {done}")
    return 0
