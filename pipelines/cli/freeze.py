"""`slipway freeze ENV`."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import (
    environment_argument,
    examples,
    output_option,
    reason_option,
    require_reason,
    state_option,
)
from pipelines.cli.output import print_json
from pipelines.cli.session import open_environment


@click.command(epilog=examples('slipway freeze production --reason "exchange holiday"'))
@environment_argument
@reason_option("Why; required. The reason is the confirmation: nothing is asked.")
@state_option
@output_option
def command(environment: str, reason: str, state: Path, output: str) -> None:
    """Refuse promotions into ENV until thawed. Never stops a rollback."""
    require_reason(reason, "`slipway freeze`")
    context = open_environment(state, environment, output=output)
    from pipelines.flows.freezing import freeze

    changed = freeze(context, reason)
    if output == "json":
        print_json({"environment": environment, "action": "freeze", "changed": changed})
    else:
        click.echo(
            f"{environment}: freeze — {reason}" if changed else f"{environment}: nothing to do"
        )
