"""`slipway backup ENV`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from pipelines.cli.options import (
    environment_argument,
    examples,
    output_option,
    reason_option,
    state_option,
)
from pipelines.cli.output import print_json, print_table
from pipelines.cli.session import open_environment


@click.command(epilog=examples("slipway backup production", "slipway backup production --list"))
@environment_argument
@reason_option("Why; kept with the backup.")
@click.option("--list", "list_", is_flag=True, help="List the backups there are instead.")
@state_option
@output_option
def command(environment: str, reason: str, list_: bool, state: Path, output: str) -> None:
    """Take a base backup of ENV's database and verify it. Trading goes on meanwhile."""
    context = open_environment(state, environment, output=output)
    if list_:
        rows = [asdict(info) for info in context.target.list_backups()]
        if output == "json":
            print_json({"environment": environment, "backups": rows})
        else:
            print_table(rows, ["name", "taken_at", "bytes", "reason"])
        return
    from pipelines.flows.backups import backup

    info = backup(context, reason)
    if output == "json":
        print_json({"environment": environment, "backup": asdict(info)})
    else:
        click.echo(f"{environment}: {info.name} verified, {info.bytes / 1e6:.0f} MB")
        click.echo(f"  restore with: slipway restore {environment} {info.name} --reason …")
