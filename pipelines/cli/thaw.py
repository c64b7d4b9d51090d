"""`slipway thaw ENV`."""

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


@click.command(epilog=examples('slipway thaw production --reason "market is open again"'))
@environment_argument
@reason_option("Why; required. The reason is the confirmation: nothing is asked.")
@state_option
@output_option
def command(environment: str, reason: str, state: Path, output: str) -> None:
    """Allow promotions into ENV again."""
    require_reason(reason, "`slipway thaw`")
    context = open_environment(state, environment, output=output)
    from pipelines.flows.freezing import thaw

    changed = thaw(context, reason)
    if output == "json":
        print_json({"environment": environment, "action": "thaw", "changed": changed})
    else:
        click.echo(
            f"{environment}: thaw — {reason}" if changed else f"{environment}: nothing to do"
        )
