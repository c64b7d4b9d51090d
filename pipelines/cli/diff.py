"""`slipway diff ENV [RELEASE]`."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import environment_argument, examples, output_option, state_option
from pipelines.cli.output import print_json
from pipelines.cli.session import open_environment

COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@click.command(
    epilog=examples("slipway diff production", "slipway diff staging r-0123456789abcdef")
)
@environment_argument
@click.argument("release", required=False)
@state_option
@output_option
def command(environment: str, release: str | None, state: Path, output: str) -> None:
    """Show what a promotion into ENV would change: code, migrations, settings; on Kubernetes every
    object of the charts, and what a hand changed in those that run."""
    context = open_environment(state, environment)
    from pipelines.flows.difference import changed_by_hand, difference

    active, wanted, text = difference(context, release)
    changed = changed_by_hand(context)
    if output == "json":
        print_json({
            "environment": environment, "active": active, "candidate": wanted.id, "diff": text,
            "drift": changed,
        })  # fmt: skip
        return
    if not text:
        click.echo(f"{environment}: no difference, {wanted.id} is active")
    for line in text.splitlines():
        click.echo(click.style(line, fg=COLOURS.get(line[:1])))
    for line in changed:
        click.echo(f"drift: {line}")
