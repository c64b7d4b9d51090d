"""`slipway rollback ENV`. Needs no git, no network and no answer from the new release."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.operation_output import show_outcome
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
    epilog=examples(
        'slipway rollback production --reason "orders rejected since 14:02"',
        "slipway rollback staging",
    )
)
@environment_argument
@reason_option("Why; required for production. The reason is the confirmation: nothing is asked.")
@state_option
@output_option
def command(environment: str, reason: str, state: Path, output: str) -> int:
    """Put the release before back in charge of ENV, at once, and hold the one it leaves.

    Works with the origin away, the new release stopped and the database migrated ahead. A freeze
    or somebody's lock does not stop it. The branch of the environment is reverted afterwards.
    """
    if environment == "production":
        require_reason(reason, "a rollback of production")
    context = open_environment(state, environment, output=output)
    from pipelines.flows.rollback import rollback

    outcome = rollback(context, reason=reason)
    return show_outcome(environment, outcome, output)
