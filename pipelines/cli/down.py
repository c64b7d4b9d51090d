"""`slipway down`."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import actor, examples, output_option, state_option
from pipelines.cli.output import print_json
from pipelines.cli.up_display import Display
from pipelines.model.release import ENVIRONMENTS


@click.command(epilog=examples("slipway down", "slipway down --state /var/tmp/second"))
@state_option
@output_option
def command(state: Path, output: str) -> None:
    """Stop everything of an installation. Data, releases and branches stay: `slipway up` brings
    all of it back."""
    from pipelines import wiring
    from pipelines.flows.down import down

    with Display(quiet=output == "json") as display:
        down([
            wiring.open_context(state, name, actor=actor(), progress=display)
            for name in ENVIRONMENTS
        ])  # fmt: skip
    if output == "json":
        print_json({"stopped": list(ENVIRONMENTS)})
    else:
        click.echo("Stopped. `slipway up` brings it back.")
