"""`slipway hold ENV RELEASE`."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.hold_output import show_hold
from pipelines.cli.options import (
    environment_argument,
    examples,
    output_option,
    reason_option,
    require_reason,
    state_option,
)
from pipelines.cli.session import open_environment


@click.command(
    epilog=examples('slipway hold production r-0123456789abcdef --reason "drifts from its record"')
)
@environment_argument
@click.argument("release")
@reason_option("Why; required.")
@state_option
@output_option
def command(environment: str, release: str, reason: str, state: Path, output: str) -> None:
    """Keep RELEASE out of ENV until a person lifts it."""
    require_reason(reason, "a hold that is set or lifted")
    context = open_environment(state, environment, output=output)
    from pipelines.flows.holds import hold

    commit = hold(context, release, reason=reason)
    show_hold(
        environment, release, "hold", commit, reason=reason, already="held already", output=output
    )
