"""`slipway restore ENV [BACKUP]`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

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


@click.command(
    epilog=examples(
        'slipway restore production --reason "orders table damaged"',
        "slipway restore dev BACKUP --reason … --yes",
    )
)
@environment_argument
@click.argument("backup", required=False)
@reason_option("Why; required.")
@yes_option
@state_option
@output_option
def command(
    environment: str, backup: str | None, reason: str, yes: bool, state: Path, output: str
) -> None:
    """Put ENV's database back to BACKUP (default: the newest). ENV does not answer meanwhile."""
    require_reason(reason, "a restore")
    context = open_environment(state, environment, output=output)
    from pipelines.flows.backups import choose, restore

    info = choose(context, backup)
    what = (
        f"{environment}: everything after {info.taken_at} is lost from its database ({info.name})."
    )
    confirm("restore", what, yes=yes)
    restore(context, info, reason)
    if output == "json":
        print_json({"environment": environment, "restored": asdict(info)})
    else:
        click.echo(f"{environment}: restored {info.name} of {info.taken_at}")
